"""Rules and what they fired, where it is told, webhooks and the feed, reports on a schedule.

None of it holds a number, a name of a contact or a note: words are made when something is sent.
"""

from notifications.models.alerts import Alert, Notification
from notifications.models.channels import Channel
from notifications.models.deliveries import Delivery
from notifications.models.rules import Rule
from notifications.models.schedules import ReportReceiver, ReportRun, ReportSchedule
from notifications.models.webhooks import (
    EventKind,
    FeedEntry,
    FeedSource,
    SendState,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "Alert",
    "Channel",
    "Delivery",
    "EventKind",
    "FeedEntry",
    "FeedSource",
    "Notification",
    "ReportReceiver",
    "ReportRun",
    "ReportSchedule",
    "Rule",
    "SendState",
    "WebhookDelivery",
    "WebhookEndpoint",
]
