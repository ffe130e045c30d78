"""The pages of the administration, app by app, and what hinders people on them."""

from typing import Any

from django.contrib import admin
from django.test import RequestFactory

from accounts.models import User
from tests.support.accessibility import DESKTOP, PHONE, Tour, faults_in_both_themes, overhang_of
from tests.support.browsing import Visits
from tests.support.people import People

SHOWN_WHOLE = {
    "accounts": "/team/",
    "calls": "/contact/",
    "metrics": "/dailymetrics/",
    "upkeep": "/backup/",
}
ONLY_SHOWN = ("metrics", "upkeep")  # nobody deletes what is shown whole


def faults_of_administration(visit: Visits, people: People, app: str) -> list[str]:
    """What axe and a phone find on every kind of page of every model of `app`, with the boxes of
    Django's own scripts."""
    found = []
    places = [("ada", url) for url in admin_pages(people.ada, app)]
    for url, page in Tour(visit, people, viewport=DESKTOP).all(places):
        faults = faults_in_both_themes(page) + overhang_of(page, PHONE)
        page.set_viewport_size(DESKTOP)
        found += [f"{url}: {fault}" for fault in faults]
    return found


def admin_pages(viewer: User, app: str) -> list[str]:
    """The addresses of an app's models that `viewer` may open; of "" those that belong to none."""
    if not app:
        return ["/admin/", "/admin/password_change/"]
    request = RequestFactory().get("/admin/")
    request.user = viewer
    (listed,) = admin.site.get_app_list(request, app)
    pages = [listed["app_url"]]
    for model in listed["models"]:
        pages += model_pages(model)
    # What was done with an object, and what goes with it, is a list of the same kind for each.
    (one,) = (page for page in pages if page.endswith("change/") and SHOWN_WHOLE[app] in page)
    kinds = ["history", *(["delete"] if app not in ONLY_SHOWN else [])]
    return [*pages, *(one.replace("change", kind) for kind in kinds)]


def model_pages(model: dict[str, Any]) -> list[str]:
    """A search shows the way back to all. Without an object there is none to change."""
    pages = [f"{model['admin_url']}?q=a"]
    if model["add_url"]:
        pages.append(model["add_url"])
    key = model["model"].objects.order_by("-pk").values_list("pk", flat=True).first()
    return pages if key is None else [*pages, f"{model['admin_url']}{key}/change/"]
