"""Contacts, calls and phone systems in the administration."""

from calls.admin import calls, dialing, providers

__all__ = ["calls", "dialing", "providers"]
