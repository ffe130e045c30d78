"""What others may listen to: see docs/architecture.md."""

from django.dispatch import Signal

# A periodic job failed. Arguments: name (str), failures (int, in a row), error (str, one line).
job_failed = Signal()
# A periodic job went well again after failures. Argument: name.
job_recovered = Signal()
# A backup could not be made or did not pass its checks. Argument: error (str, a sentence).
backup_failed = Signal()
# A backup was made and verified. Argument: backup (upkeep.models.Backup).
backup_made = Signal()
# Inside the transaction that removes personal data, so that other rooms remove theirs. Arguments:
# lines (set of str), contacts (set of ids), calls (set of ids).
personal_data_removed = Signal()
