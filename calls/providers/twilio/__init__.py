"""Twilio Voice."""

from calls.providers.twilio.adapter import Twilio
from calls.providers.twilio.outcome import PRECISION_MS
from calls.providers.twilio.signing import signature, spellings

__all__ = ["PRECISION_MS", "Twilio", "signature", "spellings"]
