"""The worker, backups and personal data in the administration."""

from upkeep.admin import backups

__all__ = ["backups"]
