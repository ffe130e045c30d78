"""What an administrator does at the phone system to connect an account."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from calls.models import ProviderAccount
from calls.providers import adapters


def hook_address(account: ProviderAccount) -> str:
    """Where the phone system sends its events; "" for one that is asked instead."""
    adapter = adapters().get(account.kind)
    if adapter is None or not adapter.has_hook:
        return ""
    base = settings.PUBLIC_BASE_URL or "http://127.0.0.1:8000"
    return base + reverse("hook", args=[account.kind, account.name])


def setting_of(text: str) -> Any:
    """A setting as it is kept: text, or what JSON says where it looks like an object or a list.

    ValueError if it only looks like one.
    """
    return json.loads(text) if text.startswith(("{", "[")) else text


def setup_lines(account: ProviderAccount) -> list[str]:
    """The steps at the provider, and what is still missing here."""
    adapter = adapters()[account.kind]
    lines = [str(line).replace("{url}", hook_address(account)) for line in adapter.setup]
    if adapter.has_hook and not settings.PUBLIC_BASE_URL:
        lines.append(_("Set PUBLIC_BASE_URL to the address that the provider can reach."))
    lines += [
        _("Still needed: the secret “%(name)s”.") % {"name": name}
        for name in adapter.secret_names
        if not account.secrets.get(name)
    ]
    lines += [
        _("Still needed: the setting “%(name)s”.") % {"name": setting.name}
        for setting in adapter.setting_names
        if setting.required and not account.settings.get(setting.name)
    ]
    return lines
