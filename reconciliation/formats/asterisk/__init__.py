"""Asterisk's call detail records, and FreePBX's table of them, as files."""

from reconciliation.formats.asterisk.format import AsteriskCsv, FreePbxCsv

__all__ = ["AsteriskCsv", "FreePbxCsv"]
