"""Whether a page may need the way to the phone in the page: no other asks how its reader calls."""

from typing import Any, Final

from django.http import HttpRequest

# By the names of their addresses: pages with links that call. One of a call has some if it has a
# number.
_CALLING: Final = frozenset({"desk", "contacts", "contact", "current_calls", "me"})


def phone(request: HttpRequest) -> dict[str, Any]:
    here = request.resolver_match
    return {"page_calls": here is not None and here.url_name in _CALLING}
