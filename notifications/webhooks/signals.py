"""What others may listen to: see docs/architecture.md. Sent inside the transaction.

Both: `endpoint`, the notifications.models.WebhookEndpoint as it now stands.
"""

from django.dispatch import Signal

endpoint_switched_off = Signal()  # by itself, after days of failures; its `off_reason` says why
endpoint_switched_on = Signal()  # by somebody
