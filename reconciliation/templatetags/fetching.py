"""The panel that has records fetched, for pages that do not ask for it themselves."""

from typing import Any

from django import template

from reconciliation.forms.fetching import FetchForm

register = template.Library()


@register.inclusion_tag("reconciliation/_fetch.html", takes_context=True)
def fetch_records(context: Any) -> dict[str, Any]:
    """The form as it was sent, where there was something wrong with it."""
    form = context.get("fetch_form") or FetchForm()
    return {"form": form, "csrf_token": context.get("csrf_token")}
