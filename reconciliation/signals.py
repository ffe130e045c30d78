"""What an import waits for, for whoever runs it. Sent inside the transaction; `sender` is
RecordImport."""

from django.dispatch import Signal

import_waits = Signal()  # `pk`: it is to be looked at, taken in, or taken back
