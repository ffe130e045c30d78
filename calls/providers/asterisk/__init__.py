"""Asterisk, by its manager interface (AMI) and its call detail records (CDR)."""

from calls.providers.asterisk.adapter import Asterisk

__all__ = ["Asterisk"]
