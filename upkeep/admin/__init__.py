"""The worker, backups and personal data in the administration: a file a part."""

from upkeep.admin import jobs

__all__ = ["jobs"]
