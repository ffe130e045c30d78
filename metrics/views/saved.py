"""Views that a person saved under a name: listed, opened, renamed, deleted."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import PageRequest
from common.generics import ModelForm
from common.htmx import render_page, wants_part
from common.text import name_key
from metrics.models import SavedView

MOST_VIEWS = 50
# The pages worth a name: those that their filters make another page.
PAGES = frozenset(
    {"desk", "team", "organization", "history", "reports", "agent", "figure", "plots", "wall"}
)


class ViewForm(ModelForm[SavedView]):
    """A page of ours under a name that its owner has not used yet."""

    class Meta:
        model = SavedView
        fields: tuple[str, ...] = ("name", "path", "query")
        widgets = {"path": forms.HiddenInput, "query": forms.HiddenInput}

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            known = resolve(path).url_name in PAGES
        except Resolver404:
            known = False
        if not known:
            raise ValidationError(_("This page cannot be saved as a view."))
        return path

    def clean_query(self) -> str:
        """Without the place in a list, which is another one tomorrow."""
        query = QueryDict(self.cleaned_data["query"], mutable=True)
        query.pop("cursor", None)
        return query.urlencode()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        of_owner = SavedView.objects.filter(owner=self.instance.owner)
        if of_owner.filter(name=cleaned.get("name")).exclude(pk=self.instance.pk).exists():
            self.add_error("name", _("You have a view of this name already."))
        if self.instance.pk is None and of_owner.count() >= MOST_VIEWS:
            raise ValidationError(
                _("You have %(number)d views, which is the most. Delete one first.")
                % {"number": MOST_VIEWS}
            )
        return cleaned


class NameForm(ViewForm):
    class Meta(ViewForm.Meta):
        fields = ("name",)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def views(request: PageRequest) -> HttpResponse:
    """The list; by POST, one more view: `name`, and the `path` and `query` of its page."""
    if request.method != "POST":
        return _show(request, _form_for(request))
    form = ViewForm(request.POST, instance=SavedView(owner=request.user))
    if not form.is_valid():
        return _show(request, form, status=400)
    form.save()
    return _done(request, _("The view “%(name)s” is saved.") % {"name": form.instance.name})


def _form_for(request: PageRequest) -> ViewForm | None:
    """The form to save the page that the list was opened from, if there is one."""
    path = request.GET.get("path", "")
    if not path:
        return None
    given = {"path": path, "query": request.GET.get("query", "")}
    return ViewForm(initial=given, instance=SavedView(owner=request.user))


def _show(request: PageRequest, form: Any, status: int = 200) -> HttpResponse:
    views = SavedView.objects.filter(owner=request.user)
    context = {
        "form": form,
        "views": sorted(views, key=lambda view: (name_key(view.name), view.pk)),
    }
    # HTMX shows a part only when it comes with success.
    status = 200 if wants_part(request) else status
    return render_page(
        request, "metrics/saved_views.html", "metrics/_saved_views.html", context, status=status
    )


def _done(request: PageRequest, sentence: str) -> HttpResponse:
    if wants_part(request):
        return _show(request, None)
    messages.success(request, sentence)
    return redirect("saved_views")


def _own(request: PageRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView, pk=pk, owner=request.user)


@never_cache
@require_safe
def open_view(request: PageRequest, pk: int) -> HttpResponse:
    return redirect(_own(request, pk).url)


@never_cache
@require_POST
def rename(request: PageRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)
    form = NameForm(request.POST, instance=view)
    if not form.is_valid():
        sentence = " ".join(str(line) for lines in form.errors.values() for line in lines)
        messages.error(request, sentence)
        return redirect("saved_views")
    form.save()
    return _done(request, _("The view is called “%(name)s” now.") % {"name": view.name})


@never_cache
@require_POST
def delete(request: PageRequest, pk: int) -> HttpResponse:
    view = _own(request, pk)
    view.delete()
    return _done(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
