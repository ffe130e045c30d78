"""Reading the feed from a cursor: the number of the last event that one has seen."""

from dataclasses import dataclass
from typing import Final

from accounts.models import User
from notifications.models import FeedEntry
from notifications.webhooks import sequencer
from notifications.webhooks.messages import Message, messages_of

WINDOW: Final = 1000  # entries that one answer looks at, whoever may see how many of them
_AT_LEAST: Final = 200  # entries that are read at once
_PASSES: Final = 50  # of the sequencer, while somebody waits


@dataclass(frozen=True)
class Page:
    messages: list[Message]
    next: int  # the cursor for what follows, be it there already or not
    more: bool  # whether something is there already


def page_after(cursor: int, limit: int, viewer: User) -> Page:
    """What follows the cursor, as far as `viewer` may see it; at most `limit` (up to WINDOW).

    The cursor passes over what they may not see, so there may be more after an empty page. A
    cursor beyond the end stays where it is.
    """
    entries = _entries(cursor)
    is_all = True
    if len(entries) <= WINDOW:  # perhaps something was committed meanwhile
        is_all = sequencer.catch_up(_PASSES)
        entries = _entries(cursor)
    messages: list[Message] = []
    following = cursor
    for some in _parts(entries[:WINDOW], max(limit, _AT_LEAST)):
        messages += messages_of(some, viewer)
        following = some[-1].number
        if len(messages) >= limit:
            messages = messages[:limit]
            following = messages[-1].number
            break
    more = not is_all or (bool(entries) and entries[-1].number > following)
    return Page(messages, following, more)


def page_at_end() -> Page:
    """Nothing, and the cursor for what is committed from now on. `more`: there was so much without
    a number that the end is not known yet; ask again."""
    is_all = sequencer.catch_up(_PASSES)
    return Page([], sequencer.last_number(), not is_all)


def _entries(cursor: int) -> list[FeedEntry]:
    return list(FeedEntry.objects.filter(number__gt=cursor).order_by("number")[: WINDOW + 1])


def _parts(entries: list[FeedEntry], size: int) -> list[list[FeedEntry]]:
    return [entries[start : start + size] for start in range(0, len(entries), size)]
