"""The bell: what each person was told, and what they have not read of it."""

from notifications.bell.telling import tell

__all__ = ["tell"]
