"""People, teams and keys in the administration. Nobody can give away rights they do not hold."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Group
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import roles
from accounts.forms import NewPersonForm, PersonForm, RoleField, TeamForm
from accounts.models import ApiKey, ApiKeyQuerySet, Team, User
from accounts.requests import person_of
from accounts.services import grantable_roles, manageable_by, must_stay, role_names
from common.generics import ModelAdmin, UserAdmin

admin.site.unregister(Group)  # accounts/roles.py says what a role may do


class RoleFilter(admin.SimpleListFilter):
    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(roles.LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    form = PersonForm
    add_form = NewPersonForm
    list_display = ("username", "full_name", "role", "team", "extension", "is_active", "last_login")
    list_filter = ("is_active", RoleFilter, "team")
    list_select_related = ("team",)
    list_per_page = 50
    ordering = ("name_key", "pk")
    show_full_result_count = False
    search_fields = ("username", "first_name", "last_name", "email", "extension")
    autocomplete_fields = ("team",)
    filter_horizontal = ()
    readonly_fields = ("role", "last_login", "date_joined")
    actions = ("deactivate", "activate")
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    *("username", "first_name", "last_name", "groups", "team", "extension"),
                    *("language", "usable_password", "password1", "password2"),
                ),
            },
        ),
    )

    @admin.display(description=gettext_lazy("name"), ordering="name_key")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description=gettext_lazy("role"))
    def role(self, person: User) -> str:
        return ", ".join(role_names(person))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        # Nobody can lock themselves out, or climb: own rights are for somebody else to change.
        fixed = obj == request.user or not self.has_change_permission(request, obj)
        access = ["role"] if fixed else ["is_active", "groups"]
        if request.user.is_superuser and not fixed:
            access.append("is_superuser")
        who = ["username", "password", "first_name", "last_name", "email", "language"]
        return [
            (None, {"fields": who}),
            (gettext_lazy("Work"), {"fields": ["team", "extension"]}),
            (gettext_lazy("Access"), {"fields": access}),
            (gettext_lazy("Dates"), {"fields": ["last_login", "date_joined"]}),
        ]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs |= {
                "form_class": RoleField,
                "widget": RoleField.widget,
                "queryset": grantable_roles(person_of(request)),
                "label": gettext_lazy("Roles"),
                "help_text": gettext_lazy("What this person may see and do."),
            }
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (
            obj is None or manageable_by(person_of(request)).filter(pk=obj.pk).exists()
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (
            obj is None
            or (
                obj != request.user and manageable_by(person_of(request)).filter(pk=obj.pk).exists()
            )
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        person = self.get_object(request, unquote(object_id))
        if person and self.has_delete_permission(request, person) and must_stay(person):
            sentence = _("%(person)s has calls, which must keep their agent. Deactivate instead.")
            self.message_user(request, sentence % {"person": person}, messages.WARNING)
            return redirect("admin:accounts_user_change", person.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Keys and sums go with their person, though neither can be deleted by itself."""
        found, counts, _missing, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description=gettext_lazy("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, False)

    @admin.action(description=gettext_lazy("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, True)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], active: bool) -> None:
        allowed = manageable_by(person_of(request)).exclude(pk=person_of(request).pk).values("pk")
        people = list(queryset.filter(pk__in=allowed).exclude(is_active=active))
        for person in people:  # saved one by one: their live connections end with their rights
            person.is_active = active
            person.save(update_fields=["is_active"])
            self.log_change(request, person, [{"changed": {"fields": ["is_active"]}}])
        sentence = ngettext("%(n)d person changed.", "%(n)d people changed.", len(people))
        self.message_user(request, sentence % {"n": len(people)}, messages.SUCCESS)


@admin.register(Team)
class TeamAdmin(ModelAdmin[Team]):
    form = TeamForm
    ordering = ("name_key", "pk")
    list_display = ("called", "size", "watched_by", "amber_seconds", "red_seconds")
    search_fields = ("name",)
    filter_horizontal = ("supervisors",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        by_name = Prefetch("supervisors", User.objects.order_by("name_key", "pk"))
        teams = super().get_queryset(request).prefetch_related(by_name)
        return teams.annotate(member_count=Count("members", distinct=True))

    @admin.display(description=gettext_lazy("name"), ordering="name_key")
    def called(self, team: Team) -> str:
        return team.name

    @admin.display(description=gettext_lazy("people"), ordering="member_count")
    def size(self, team: Any) -> int:
        return int(team.member_count)

    @admin.display(description=gettext_lazy("supervisors"))
    def watched_by(self, team: Team) -> str:
        return ", ".join(str(person) for person in team.supervisors.all())

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "supervisors":
            people = User.objects.with_perm(roles.VIEW_TEAM_CALLS)
            kwargs["queryset"] = people.order_by("name_key", "pk")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class UsableFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("usable", _("in use")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ApiKey]:
        keys: ApiKeyQuerySet = queryset
        if self.value() == "usable":
            return keys.usable()
        if self.value() == "revoked":
            return keys.filter(revoked_at__isnull=False)
        return keys


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin[ApiKey]):
    list_display = ("begins_with", "name", "owner", "created_at", "last_used_at", "state")
    list_display_links = ("begins_with", "name")
    list_filter = (UsableFilter,)
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("prefix", "name", "owner__username", "owner__first_name", "owner__last_name")
    autocomplete_fields = ("owner",)
    actions = ("revoke",)

    @admin.display(description=gettext_lazy("begins with"), ordering="prefix")
    def begins_with(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return _("revoked")
        return _("in use") if key.owner.is_active else _("owner deactivated")

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        limit = _("Each key may make %(rate)s requests.") % {"rate": settings.API_RATE_LIMIT}
        if obj is None:
            return [(None, {"fields": ["owner", "name"], "description": limit})]
        dates = ["created_at", "last_used_at", "revoked_at"]
        fields = ["begins_with", "owner", "name", "state", *dates]
        return [(None, {"fields": fields, "description": limit})]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ()
        return ("begins_with", "owner", "state", "created_at", "last_used_at", "revoked_at")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "owner":  # a key acts with its owner's rights
            kwargs["queryset"] = manageable_by(person_of(request)).filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked key stays, to tell what it was

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        if change:
            kept: ApiKey = super().save_form(request, form, change)
            return kept
        key, secret = ApiKey.issue(form.instance.owner, form.instance.name)
        form.instance = key
        form.instance.secret = secret  # for response_add, and nowhere else
        return key

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A key has none."""

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """The key, this once, in the answer itself: neither session nor cookie keep it."""
        context = self.admin_site.each_context(request) | {
            "title": _("The new key"),
            "opts": self.opts,
            "key": obj,
            "secret": obj.secret,
        }
        response = TemplateResponse(request, "admin/accounts/apikey/shown.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description=gettext_lazy("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        keys = list(queryset.filter(revoked_at__isnull=True))
        for key in keys:
            key.revoke()
            self.log_change(request, key, [{"changed": {"fields": ["revoked_at"]}}])
        sentence = ngettext("%(n)d key revoked.", "%(n)d keys revoked.", len(keys))
        self.message_user(request, sentence % {"n": len(keys)}, messages.SUCCESS)
