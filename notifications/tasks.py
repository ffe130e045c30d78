"""What the worker does."""

from notifications.deliveries import worker  # noqa: F401 (its tasks)
