"""How the values of parameters and bodies are described, with the limits that they have."""

from typing import Any, Final

# No text may hold NUL; some must hold more than space.
NO_NUL: Final = r"^[^\u0000]*$"
NOT_EMPTY: Final = r"^[^\u0000]+$"
NOT_BLANK: Final = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"


def text(longest: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "pattern": NO_NUL}


def or_empty(shape: dict[str, Any]) -> dict[str, Any]:
    """A filter that may be left empty, as a form sends it: that is the same as absent."""
    return {"anyOf": [shape, {"type": "string", "maxLength": 0}]}


# From FIRST_YEAR to LAST_YEAR of common.periods.
_YEARS: Final = "19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8]"
LOCAL_DAY: Final = or_empty(
    {"type": "string", "format": "date", "pattern": f"^({_YEARS})-[0-9]{{2}}-[0-9]{{2}}$"}
)
LENGTH: Final = or_empty(
    {
        "type": "string",
        "pattern": "^([0-9]{1,6}|([0-9]{1,2}:)?[0-9]{1,3}:[0-5][0-9])$",
        "examples": ["90", "1:30"],
    }
)
CURSOR: Final = or_empty({"type": "string", "pattern": "^[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+){2}$"})
FEED_CURSOR: Final[dict[str, Any]] = {
    "oneOf": [
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        {"enum": ["", "latest"]},
    ]
}
_TEAM_ID: Final = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
TEAM: Final[dict[str, Any]] = {"oneOf": [_TEAM_ID, {"enum": ["", "none"]}]}


def list_of(names: Any) -> dict[str, Any]:
    """Some of `names`, with commas between them."""
    one = f"({'|'.join(names)})?"
    return {"type": "string", "pattern": f"^{one}(,{one})*$"}
