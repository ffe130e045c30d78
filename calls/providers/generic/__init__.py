"""Any system that can send JSON."""

from calls.providers.generic.adapter import TOKEN_HEADER, Generic, signature

__all__ = ["TOKEN_HEADER", "Generic", "signature"]
