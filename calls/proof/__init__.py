"""Whether the ledger is what was written: anchors of each day, and what has changed behind it."""
