"""The worker, backups and personal data in the administration: a file a part."""

from upkeep.admin import backups, jobs

__all__ = ["backups", "jobs"]
