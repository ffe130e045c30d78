"""Zoom Phone."""

from calls.providers.zoom.adapter import Zoom, signature
from calls.providers.zoom.sides import PRECISION_MS

__all__ = ["PRECISION_MS", "Zoom", "signature"]
