"""Signing in, and one's own account."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_ratelimit.core import get_usage

from accounts.attempts import RATE, Attempt
from accounts.backends import DEMO_PASSWORD
from accounts.forms import KeyForm, LanguageForm, PreferencesForm, SignInForm
from accounts.models import ApiKey, User
from accounts.requests import PageRequest, person_of
from accounts.roles import start_page_of
from accounts.services import role_names


class SignIn(auth.LoginView):
    """Asks for name and password; whoever is signed in is sent on. Ten failures a minute."""

    form_class = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._attempt = Attempt(request, request.POST.get("username", ""))
        if self._attempt.wait:
            return self._too_many(self._attempt.wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        self._attempt.succeeded()
        return super().form_valid(form)

    def get_default_redirect_url(self) -> str:
        return resolve_url(start_page_of(self.request.user))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if settings.DEMO:
            names = ["agent1", "supervisor1", "supervisor2", "admin"]
            people = User.objects.filter(username__in=names, is_active=True)
            context["demo_people"] = sorted(people, key=lambda person: names.index(person.username))
            context["demo_password"] = DEMO_PASSWORD
        return context

    def _too_many(self, wait: int) -> HttpResponse:
        context = self.get_context_data(refused=_wait_in_words(wait), form=SignInForm())
        headers = {"Retry-After": str(wait)}
        return self.render_to_response(context, status=429, headers=headers)


def _wait_in_words(seconds: int) -> str:
    sentence = ngettext(
        "Too many attempts. Wait %(n)d second and try again.",
        "Too many attempts. Wait %(n)d seconds and try again.",
        seconds,
    )
    return sentence % {"n": seconds}


class PasswordChange(auth.PasswordChangeView):
    """Asks for the old password, too: ten tries a minute, so that nobody guesses it at a desk that
    was left open."""

    success_url = reverse_lazy("me")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        usage = get_usage(request, group="password", key="user", rate=RATE, increment=True)
        if not (usage and usage["should_limit"]):
            return super().post(request, *args, **kwargs)
        form = self.get_form_class()(person_of(request))
        wait = max(1, usage["time_left"])  # the window's last second has none left
        context = self.get_context_data(refused=_wait_in_words(wait), form=form)
        headers = {"Retry-After": str(wait)}
        return self.render_to_response(context, status=429, headers=headers)

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)


@never_cache
@require_safe
def me(request: PageRequest) -> HttpResponse:
    return _account(request)


def _account(request: PageRequest, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "roles": role_names(request.user),
        "teams": request.user.supervised_teams.all(),
        "keys": request.user.api_keys.filter(revoked_at__isnull=True),
        "language_form": LanguageForm(instance=request.user),
        "preferences_form": PreferencesForm(instance=request.user),
        "key_form": KeyForm(),
    }
    return render(request, "accounts/me.html", context | more, status=status)


@require_POST
def me_language(request: PageRequest) -> HttpResponse:
    """Saves the language; without one the browser decides again, whatever the cookie said."""
    form = LanguageForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _account(request, 400, language_form=form)
    request.user.save(update_fields=["language"])
    response = redirect("me")
    response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response


@require_POST
def me_preferences(request: PageRequest) -> HttpResponse:
    """Saves how the pages behave for oneself."""
    form = PreferencesForm(request.POST, instance=request.user)
    if not form.is_valid():
        return _account(request, 400, preferences_form=form)
    request.user.save(update_fields=list(form.fields))
    messages.success(request, _("Saved."))
    return redirect("me")


@never_cache
@require_POST
def me_key(request: PageRequest) -> HttpResponse:
    """Makes a key for oneself and shows it in this answer, once."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _account(request, 400, key_form=form)
    key, secret = ApiKey.issue(request.user, form.cleaned_data["name"])
    return _account(request, new_key=key, secret=secret)


@require_POST
def me_key_revoke(request: PageRequest, pk: int) -> HttpResponse:
    get_object_or_404(request.user.api_keys, pk=pk).revoke()
    messages.success(request, _("The key was revoked; programs that use it are refused now."))
    return redirect("me")
