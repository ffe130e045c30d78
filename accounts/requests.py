"""Who a page's request comes from, for those who read the types."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class PageRequest(HttpRequest):
    """A request for a page: whoever asks is signed in, and may ask through HTMX."""

    user: User
    htmx: HtmxDetails


def person_of(request: HttpRequest) -> User:
    """Who asks, behind a door that lets in only those who are signed in."""
    assert isinstance(request.user, User)
    return request.user
