"""Every other service, through apprise: its addresses name the service and what opens it."""

import logging
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import requests
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from common.outgoing_http import Fault
from notifications.channels import guarded_requests
from notifications.channels.base import Entry, Message, Refused, require_taken

# Speaks over sockets of its own, which the rules for addresses do not reach.
_REFUSED: Final = {"apprise.plugins.nostr"}


def _clean(text: str) -> str:
    try:
        _service(text)
    except Refused as refused:
        raise ValidationError(str(refused)) from refused
    return text


entries = (
    Entry(
        "url",
        _("Address for apprise"),
        _("Such as ntfys://ntfy.sh/topic, mmosts://host/token or gchat://…"),
        _clean,
    ),
)
help = _(
    "github.com/caronc/apprise/wiki lists the services and how their addresses are written. Only"
    " those that are reached over the web are possible."
)
personal = False


def send(secrets: Mapping[str, str], message: Message) -> None:
    service = _service(secrets["url"])
    sender = _apprise()[0]()
    sender.add(service)
    facts = "\n".join(f"{label}: {value}" for label, value in message.facts)
    parts = [message.sentence, facts, f"{message.link_label}: {message.link}"]
    with guarded_requests.noting() as ends:
        # As text, so that it is escaped for services that read HTML or Markdown.
        taken = sender.notify(
            title=message.title, body="\n\n".join(filter(None, parts)), body_format="text"
        )
    if taken:
        return
    last = ends[-1] if ends else None
    if isinstance(last, Fault):
        raise last
    if last is not None:
        require_taken(last, [secrets["url"], *_parts(secrets["url"])])
    raise Refused(gettext_noop("The service did not take the message."))


def _parts(url: str) -> list[str]:
    """What may be secret in an address."""
    return [part for part in url.replace("?", "/").replace("@", "/").split("/") if len(part) > 6]


def _service(url: str) -> Any:
    """The plugin for `url`, whose requests keep to our rules; Refused if there is none."""
    apprise, plugins = _apprise()
    scheme = url.partition("://")[0].lower()
    if scheme not in _schemes():
        raise Refused(
            gettext_noop(
                "That is no address of a service that can be told from here. Services of this"
                " computer, and those that have a kind of their own here, are not possible."
            )
        )
    service = apprise.instantiate(url, suppress_exceptions=True)
    if type(service) is not plugins[scheme]:
        raise Refused(
            gettext_noop("The address is not complete for this service: %(service)s"),
            service=str(plugins[scheme].service_name),
        )
    return service


@lru_cache(maxsize=1)
def _apprise() -> tuple[Any, Any]:
    """What makes a service of an address, and all services: loaded when first needed, for they are
    two hundred. The library's log would hold addresses."""
    from apprise import Apprise
    from apprise.manager_plugins import NotificationManager

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return Apprise, NotificationManager()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _schemes() -> frozenset[str]:
    """The services that are reached by `requests` alone, which is replaced in each of them.

    Those that load what a part of their address names (a template, a key file) are left out.
    """
    allowed: set[str] = set()
    _made, plugins = _apprise()
    for scheme in plugins.schemas():
        name = plugins[scheme].__module__
        module: Any = sys.modules[name]
        by_web = getattr(module, "requests", None) in (requests, guarded_requests.GUARDED)
        if by_web and not hasattr(module, "AppriseAttachment") and name not in _REFUSED:
            module.requests = guarded_requests.GUARDED
            allowed.add(scheme)
    return frozenset(allowed)
