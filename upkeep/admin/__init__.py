"""The worker, backups and personal data in the administration: a file a part."""

from upkeep.admin import jobs, personal_data

__all__ = ["jobs", "personal_data"]
