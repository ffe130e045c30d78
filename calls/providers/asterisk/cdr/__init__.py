"""Asterisk's call detail records, in a file or a table: rows -> what each agent did. No database.

Several rows make a call; hold is invisible; whole seconds, cut. What a row cannot know stays
unknown: a queue's row is answered by the queue, and the row after a transfer counts the new
phone's ring as talk.
"""

from calls.providers.asterisk.cdr.columns import ColumnNames, column_names
from calls.providers.asterisk.cdr.conversations import CdrConversation, conversations
from calls.providers.asterisk.cdr.lines import Layout
from calls.providers.asterisk.cdr.parts import CdrPart, parts, parts_of
from calls.providers.asterisk.cdr.rows import CdrRow, read, read_lines

__all__ = [
    "CdrConversation",
    "CdrPart",
    "CdrRow",
    "ColumnNames",
    "Layout",
    "column_names",
    "conversations",
    "parts",
    "parts_of",
    "read",
    "read_lines",
]
