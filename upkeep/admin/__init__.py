"""The worker, backups and personal data in the administration: a file a part."""

from upkeep.admin import backups, jobs, personal_data

__all__ = ["backups", "jobs", "personal_data"]
