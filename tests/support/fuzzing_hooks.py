"""What the fuzzer must know beyond the API's description, which says it in words: how parameters go
together, which texts are phone numbers or plain words for how a call ended, and what depends on the
day or on what there is."""

import datetime as dt
from typing import Any

import schemathesis
from schemathesis import GenerationMode

_DAYS = (("from", "to"), ("start_date", "end_date"))
_INSTANTS = ("started_at", "ended_at", "occurred_at")
_TEN_YEARS = dt.timedelta(days=3650)

_PHONE = "+506 5123 4567"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Makes sense of a request whose parts are all as described."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if case.query:
        case.query.update(_sensible_query(dict(case.query)))
        for name in [name for name, value in case.query.items() if value is None]:
            del case.query[name]
    if isinstance(case.body, dict):
        case.body = _sensible_body(case.body)


def _sensible_query(query: dict[str, Any]) -> dict[str, Any]:
    """What to change; None: leave it out."""
    changes: dict[str, Any] = {}
    if query.get("period") not in (None, "", "range"):
        changes |= {"from": None, "to": None}
    elif query.get("period") or query.get("from") or query.get("to"):
        day = query.get("from") or query.get("to") or "2026-01-31"
        changes |= {"from": query.get("from") or day, "to": query.get("to") or day}
    for first, last in _DAYS:
        days = [changes.get(name, query.get(name)) for name in (first, last)]
        if all(days):
            begin, end = sorted(map(dt.date.fromisoformat, days))
            end = end if end - begin < _TEN_YEARS else begin
            changes |= {first: str(begin), last: str(end)}
    if query.get("min_duration") and query.get("max_duration"):
        changes["max_duration"] = query["min_duration"]
    if query.get("cursor"):  # only the server makes one
        changes["cursor"] = ""
    return changes


def _sensible_body(body: dict[str, Any]) -> dict[str, Any]:
    present = dt.datetime.now(dt.UTC).isoformat()
    known = {name: present for name in _INSTANTS if body.get(name)}
    known |= {"status": "COMPLETED"} if "status" in body else {}
    known |= {"sent_at": None} if "sent_at" in body else {}
    known |= {"disposition": ""} if "disposition" in body else {}
    known |= {"team": None} if "team" in body else {}
    known |= {"external_id": ""} if "external_id" in body else {}
    known |= {"phone": _PHONE} if "phone" in body else {}
    if body.get("numbers"):
        known["numbers"] = [one | {"number": _PHONE} for one in body["numbers"]]
    return body | known
