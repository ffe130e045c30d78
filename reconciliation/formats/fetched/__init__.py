"""Formats of what providers' interfaces answer, as reconciliation.fetching keeps it."""
