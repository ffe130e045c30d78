"""What others may listen to: see docs/architecture.md."""

from django.dispatch import Signal

# A webhook was switched off by itself. Argument: endpoint (notifications.models.WebhookEndpoint;
# its `off_reason` says why). Sent inside the transaction.
endpoint_switched_off = Signal()
