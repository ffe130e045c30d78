"""Backups in the administration: which there are, one more now, and each as a file."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts import roles
from calls.templatetags.calls_format import NOTHING, duration_words, whole
from common.formats.dates import exact_moment
from common.generics import ModelAdmin
from upkeep.backups import state
from upkeep.models import Backup
from upkeep.tasks import back_up_now


@admin.register(Backup)
class BackupAdmin(ModelAdmin[Backup]):
    """Only read: files come and go by the clock. One right opens all of it."""

    list_display = ("begun", "age", "size_shown", "calls_shown", "outcome", "copy", "file")
    list_per_page = 50
    show_full_result_count = False
    fields = (
        "begun",
        "took_shown",
        "size_shown",
        "calls_shown",
        "events_shown",
        "outcome",
        "copy",
        "sha256",
        "file",
    )
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.MANAGE_UPKEEP)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("begun"), ordering="begun_at")
    def begun(self, backup: Backup) -> str:
        return exact_moment(backup.begun_at)

    @admin.display(description=gettext_lazy("age"))
    def age(self, backup: Backup) -> str:
        return timesince(backup.begun_at, depth=1)

    @admin.display(description=gettext_lazy("took"))
    def took_shown(self, backup: Backup) -> str:
        took = backup.took
        return NOTHING if took is None else duration_words(round(took.total_seconds()))

    @admin.display(description=gettext_lazy("size"), ordering="size")
    def size_shown(self, backup: Backup) -> str:
        return NOTHING if backup.size is None else filesizeformat(backup.size)

    @admin.display(description=gettext_lazy("calls"))
    def calls_shown(self, backup: Backup) -> str:
        return whole(backup.calls)

    @admin.display(description=gettext_lazy("events"))
    def events_shown(self, backup: Backup) -> str:
        return whole(backup.events)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, backup: Backup) -> str:
        if backup.ended_at is None:
            return _("under way")
        if backup.error or backup.doubts:
            return format_html(
                '<span class="backup-fault">{}</span>', backup.error or backup.doubts
            )
        return _("verified")

    @admin.display(description=gettext_lazy("copy"))
    def copy(self, backup: Backup) -> str:
        if backup.copy_error:
            return format_html('<span class="backup-fault">{}</span>', backup.copy_error)
        return backup.copied_to or NOTHING

    @admin.display(description=gettext_lazy("file"))
    def file(self, backup: Backup) -> str:
        if backup.ended_at is None or backup.error:
            return NOTHING
        address = reverse("admin:upkeep_backup_file", args=[backup.pk])
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>',
            address,
            _("Download %(name)s") % {"name": backup.name},
            _("Download"),
        )

    def get_urls(self) -> list[Any]:
        now = self.admin_site.admin_view(require_POST(self.now_view))
        file = self.admin_site.admin_view(require_GET(self.file_view))
        return [
            path("now/", now, name="upkeep_backup_now"),
            path("<int:pk>/file/", file, name="upkeep_backup_file"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"concern": state.concern(), "folder": settings.BACKUP_DIR}
        shown |= {"minutes": settings.BACKUP_EVERY_MINUTES, "title": _("Backups")}
        return super().changelist_view(request, shown | (extra_context or {}))

    def now_view(self, request: HttpRequest) -> HttpResponse:
        """Has the worker make one, outside its hours."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back_up_now()
        sentence = _("The worker makes a backup now. It stands here once it has begun.")
        self.message_user(request, sentence, messages.INFO)
        return redirect("admin:upkeep_backup_changelist")

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The file itself, with all that there is to know; who took it along is written down."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        backup = get_object_or_404(Backup.objects.kept(), pk=pk)
        try:
            file = (settings.BACKUP_DIR / backup.name).open("rb")
        except FileNotFoundError as error:
            raise Http404 from error
        self.log_change(request, backup, _("Downloaded."))
        return FileResponse(file, as_attachment=True, filename=backup.name)
