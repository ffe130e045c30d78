"""How the site is reached, and what it would give away."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.utils.translation import gettext as _

from callmanager.doctor.findings import Finding, error, ok, warning
from callmanager.serving import proxies

_SHORT_KEY = 50  # characters; what Django asks for


def secrets() -> Iterator[Finding]:
    if settings.DEBUG:
        yield error(_("DEBUG=1 shows the source and the settings to whoever meets an error."))
    if settings.DEMO:
        yield warning(_("DEMO=1 lets anybody in with the passwords of the demo."))
    if len(settings.SECRET_KEY) < _SHORT_KEY:
        yield error(_("SECRET_KEY is short enough to be guessed: leave it out to have one made."))
    if not (settings.DEBUG or settings.DEMO or len(settings.SECRET_KEY) < _SHORT_KEY):
        yield ok(_("Neither DEBUG nor DEMO is on, and the secret key is long."))


def public_address() -> Iterator[Finding]:
    address = {"address": settings.PUBLIC_BASE_URL}
    parts = urlsplit(settings.PUBLIC_BASE_URL)
    if not settings.PUBLIC_BASE_URL:
        yield warning(_("PUBLIC_BASE_URL is not set: phone systems are not told where to report."))
    elif not validate_host(parts.hostname or "", settings.ALLOWED_HOSTS):
        yield error(
            _("ALLOWED_HOSTS leaves out the host of PUBLIC_BASE_URL=%(address)s.") % address
        )
    elif parts.scheme == "http":
        yield warning(_("Passwords and calls travel unencrypted: %(address)s.") % address)
    else:
        yield ok(_("The site is reached as %(address)s.") % address)


def trusted_proxies() -> Iterator[Finding]:
    """The number that is set beside the number that requests tell."""
    said = {"hops": settings.TRUSTED_PROXIES}
    seen = proxies.last_seen()
    if seen is None:
        yield ok(_("TRUSTED_PROXIES=%(hops)d; no request has been seen yet to compare.") % said)
        return
    many = seen.requests
    usual = max(many, key=lambda hops: many[hops])
    said |= {"usual": usual, "n": many[usual], "all": sum(many.values())}
    if usual > settings.TRUSTED_PROXIES:
        sentence = _(
            "TRUSTED_PROXIES=%(hops)d, but %(n)d of the last %(all)d requests came through "
            "%(usual)d: people share one limit of sign-ins."
        )
        yield warning(sentence % said)
    elif usual < settings.TRUSTED_PROXIES:
        sentence = _(
            "TRUSTED_PROXIES=%(hops)d, but %(n)d of the last %(all)d requests came through "
            "%(usual)d: whoever asks can choose the address that is counted."
        )
        yield error(sentence % said)
    else:
        sentence = _("TRUSTED_PROXIES=%(hops)d, as %(n)d of the last %(all)d requests came.")
        yield ok(sentence % said)
