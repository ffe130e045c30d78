"""Contacts, calls and phone systems in the administration."""

from calls.admin import calls, contacts, dialing, providers

__all__ = ["calls", "contacts", "dialing", "providers"]
