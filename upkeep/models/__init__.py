"""Periodic jobs and their runs, backups, and who asked for personal data to be removed."""

from upkeep.models.backups import Backup
from upkeep.models.jobs import JobRun, WorkerBeat
from upkeep.models.personal_data import Removal

__all__ = ["Backup", "JobRun", "Removal", "WorkerBeat"]
