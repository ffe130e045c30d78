"""Phone systems in the administration: accounts, whom they mean, and what they sent."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.requests import person_of
from calls.admin.pages import EditableLines, RoughPaginator
from calls.models import ProviderAccount, ProviderIdentity, RawEvent
from calls.models.dial_links import IN_PAGE
from calls.providers import adapters
from calls.simulation.trial import try_hook
from calls.telephony import assignment, hooks
from calls.telephony.setup import hook_address, setting_of, setup_lines
from calls.templatetags.calls_format import NOTHING
from common.formats.dates import moment_ms
from common.generics import ModelAdmin, ModelForm

_SETTING, _SECRET = "setting_", "secret_"


class NewAccountForm(ModelForm[ProviderAccount]):
    """What kind of phone system it is; its own fields follow on the next page."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Phone system"),
        choices=lambda: [(kind, one.title) for kind, one in adapters().items()],
    )

    class Meta:
        model = ProviderAccount
        fields = ["kind", "name", "region"]


class AccountForm(ModelForm[ProviderAccount]):
    """The settings that the account's adapter reads, and new values for its secrets."""

    class Meta:
        model = ProviderAccount
        fields = ["region", "is_active", "silence_minutes"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in _names_of(self.instance, _SETTING):
            try:
                cleaned[_SETTING + name] = setting_of(cleaned.get(_SETTING + name, ""))
            except ValueError:
                self.add_error(_SETTING + name, _("This is not valid JSON."))
        return cleaned

    def save(self, commit: bool = True) -> ProviderAccount:
        account = super().save(commit=False)
        for name in _names_of(account, _SETTING):
            value = self.cleaned_data[_SETTING + name]
            if value in ("", None):
                account.settings.pop(name, None)
            else:
                account.settings[name] = value
        for name in _names_of(account, _SECRET):
            if self.cleaned_data[_SECRET + name]:
                account.add_secret(name, self.cleaned_data[_SECRET + name])
        if commit:
            account.save()
        return account


def _names_of(account: ProviderAccount, prefix: str) -> list[str]:
    adapter = adapters().get(account.kind)
    if adapter is None:
        return []
    if prefix == _SECRET:
        return [*adapter.secret_names, *adapter.optional_secret_names]
    return [setting.name for setting in adapter.setting_names]


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _fields_of(account: ProviderAccount) -> dict[str, forms.Field]:
    """The fields of the account's own kind: settings, then secrets, which are never shown."""
    adapter = adapters().get(account.kind)
    if adapter is None:
        return {}
    fields: dict[str, forms.Field] = {}
    for setting in adapter.setting_names:
        initial = _to_text(account.settings.get(setting.name, ""))
        wide = str(setting.help).startswith("{") or initial.startswith("{")  # a mapping
        fields[_SETTING + setting.name] = forms.CharField(
            label=_(setting.label),
            help_text=_(setting.help) if setting.help else "",
            required=setting.required,
            initial=initial,
            widget=forms.Textarea(attrs={"rows": 6}) if wide else forms.TextInput(),
        )
    for name in adapter.secret_names + adapter.optional_secret_names:
        valid = len(account.secrets.get(name, ()))
        fields[_SECRET + name] = forms.CharField(
            label=_("New secret “%(name)s”") % {"name": name},
            required=False,
            strip=True,
            help_text=_kept_words(valid),
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )
    return fields


def _kept_words(valid: int) -> str:
    if not valid:
        return _("There is none yet.")
    kept = ngettext("%(n)d value is valid now.", "%(n)d values are valid now.", valid)
    return kept % {"n": valid} + " " + _("Empty: nothing changes.")


class IdentityInline(EditableLines[ProviderIdentity, ProviderAccount]):
    model = ProviderIdentity
    fields = ("identity", "user")
    autocomplete_fields = ("user",)
    extra = 1


@admin.register(ProviderAccount)
class ProviderAccountAdmin(ModelAdmin[ProviderAccount]):
    list_display = (
        "name",
        "kind_title",
        "is_active",
        "last_heard",
        "speaks",
        "rejected",
        "connection",
    )
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name",)
    actions = ("forget_old_secrets",)

    @admin.display(description=gettext_lazy("phone system"), ordering="kind")
    def kind_title(self, account: ProviderAccount) -> str:
        adapter = adapters().get(account.kind)
        return adapter.title if adapter is not None else account.kind

    @admin.display(description=gettext_lazy("last heard"), ordering="last_heard_at")
    def last_heard(self, account: ProviderAccount) -> str:
        return moment_ms(account.last_heard_at) if account.last_heard_at else NOTHING

    @admin.display(description=gettext_lazy("speaks"), boolean=True)
    def speaks(self, account: ProviderAccount) -> bool | None:
        """None: it has never spoken."""
        return None if account.last_heard_at is None else account.silent_since is None

    @admin.display(description=gettext_lazy("state"))
    def connection(self, account: ProviderAccount) -> str:
        """What a listener noted: a phrase of ours, and after a colon what the phone system said."""
        phrase, colon, said = account.state.partition(": ")
        return f"{_(phrase)}{colon}{said}" if phrase else NOTHING

    @admin.display(description=gettext_lazy("address of the hook"))
    def address(self, account: ProviderAccount) -> str:
        address = hook_address(account)
        if account.kind == IN_PAGE:
            return _("It has none: its windows report to this site.")
        if not address:
            return _("It has none: a listener asks this phone system.")
        return format_html('<code class="copyable">{}</code>', address)

    @admin.display(description=gettext_lazy("what to do"))
    def steps(self, account: ProviderAccount) -> str:
        lines = setup_lines(account) if account.kind in adapters() else []
        if not lines:
            return NOTHING
        items = format_html_join("", "<li>{}</li>", ((line,) for line in lines))
        return format_html("<ol>{}</ol>", items)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            return NewAccountForm
        own = type("AccountForm", (AccountForm,), _fields_of(obj))
        return super().get_form(request, obj, change, **kwargs | {"form": own, "fields": None})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("kind", "name", "region")}),)
        own = list(_fields_of(obj))
        return [
            (None, {"fields": ("name", "kind_title", "is_active", "address", "steps")}),
            (gettext_lazy("State"), {"fields": ("last_heard", "connection", "rejected")}),
            (gettext_lazy("Settings"), {"fields": ("region", "silence_minutes", *own)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("name", "kind_title", "address", "steps", "last_heard", "connection", "rejected")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else [IdentityInline]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.try_view))
        url = path("<path:object_id>/try/", view, name="calls_provideraccount_try")
        return [url, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        account = self.get_object(request, unquote(object_id))
        may_try = account is not None and bool(hook_address(account))
        return super().change_view(request, object_id, form_url, {"may_try": may_try})

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sends one signed call of nobody's through the real door, and says what came of it."""
        account = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        if account is None or not hook_address(account):
            raise Http404
        site = settings.PUBLIC_BASE_URL or request.build_absolute_uri("/").rstrip("/")
        for line in try_hook(account, site):
            self.message_user(request, line, messages.INFO)
        return redirect("admin:calls_provideraccount_change", account.pk)

    def response_add(
        self, request: HttpRequest, obj: ProviderAccount, post_url_continue: Any = None
    ) -> HttpResponse:
        self.message_user(request, _("Added. Its settings and secrets follow."), messages.SUCCESS)
        return redirect("admin:calls_provideraccount_change", obj.pk)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for identity in [*formset.new_objects, *(row for row, _names in formset.changed_objects)]:
            give_waiting(self, request, identity)

    @admin.action(
        description=gettext_lazy("End the rotation: only the newest secrets stay valid"),
        permissions=["change"],
    )
    def forget_old_secrets(self, request: HttpRequest, queryset: QuerySet[ProviderAccount]) -> None:
        for account in queryset:
            account.forget_old_secrets()
            account.save(update_fields=["sealed"])
            self.log_change(request, account, _("Only the newest secrets are valid."))
        self.message_user(request, _("Only the newest secrets are valid."), messages.SUCCESS)


def give_waiting(page: ModelAdmin[Any], request: HttpRequest, identity: ProviderIdentity) -> None:
    """Calls that waited for this identity to be known now are the agent's; says how many."""
    accounts = ProviderAccount.objects.all()
    if identity.account_id is not None:
        accounts = accounts.filter(pk=identity.account_id)
    given = sum(
        assignment.assign_waiting(account, identity.identity, identity.user, person_of(request))
        for account in accounts
    )
    if given:
        sentence = ngettext(
            "%(n)d call that waited for an agent now belongs to %(who)s.",
            "%(n)d calls that waited for an agent now belong to %(who)s.",
            given,
        )
        page.message_user(
            request, sentence % {"n": given, "who": identity.user.display_name}, messages.SUCCESS
        )


class IdentityForm(ModelForm[ProviderIdentity]):
    class Meta:
        model = ProviderIdentity
        fields = ["account", "identity", "user"]

    def clean(self) -> dict[str, Any]:
        """One identity means one agent, in one account or in all of them."""
        cleaned = super().clean() or {}
        row = ProviderIdentity(account=cleaned.get("account"), identity=cleaned.get("identity", ""))
        others = ProviderIdentity.objects.filter(account=row.account, identity=row.compared)
        if others.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This identity already means somebody."))
        return cleaned


@admin.register(ProviderIdentity)
class ProviderIdentityAdmin(ModelAdmin[ProviderIdentity]):
    form = IdentityForm
    list_display = ("identity", "user", "account")
    list_filter = ("account",)
    list_select_related = ("user", "account")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("identity", "user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("account", "user")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        give_waiting(self, request, obj)


@admin.register(RawEvent)
class RawEventAdmin(ModelAdmin[RawEvent]):
    """What phone systems sent, word for word. Only read, and read again."""

    list_display = ("received", "account", "outcome", "note", "times")
    list_filter = ("outcome", "account")
    list_select_related = ("account",)
    paginator = RoughPaginator
    list_per_page = 50
    show_full_result_count = False
    sortable_by = ("received",)
    actions = ("read_again",)
    fields = ("account", "received", "outcome", "note", "times", "content_type", "query", "text")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("received"), ordering="received_at")
    def received(self, raw: RawEvent) -> str:
        return moment_ms(raw.received_at)

    @admin.display(description=gettext_lazy("message"))
    def text(self, raw: RawEvent) -> str:
        return format_html('<pre class="raw">{}</pre>', _readable(bytes(raw.body)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_reading_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.change_provideraccount")

    @admin.action(description=gettext_lazy("Read again"), permissions=["reading"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[RawEvent]) -> None:
        """After an adapter or an identity has changed: what was reported is recorded once all the
        same."""
        for raw in queryset.select_related("account").order_by("received_at", "pk"):
            hooks.read(raw)
        self.message_user(request, _("Read again; the outcome stands beside it."), messages.SUCCESS)


def _readable(body: bytes) -> str:
    """The message as text; JSON on several lines."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text
