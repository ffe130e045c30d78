"""The worker's page: what it does by the clock, and how that went."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts import roles
from common.formats.dates import exact_moment
from common.generics import ModelAdmin
from upkeep import verification as proof
from upkeep.jobs import overview, runs
from upkeep.jobs.heartbeat import living_workers
from upkeep.jobs.titles import title_of
from upkeep.models import JobRun, WorkerBeat


class UpkeepAdmin(ModelAdmin[Any]):
    """Nobody writes these rows; who looks after the installation reads them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.MANAGE_UPKEEP)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WorkerBeat)
class WorkerAdmin(UpkeepAdmin):
    """Its list is the worker's page."""

    def get_urls(self) -> list[Any]:
        run = self.admin_site.admin_view(self.run_view)
        return [path("run/", run, name="upkeep_workerbeat_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        workers = list(living_workers())
        context = {
            "workers": workers,
            "jobs": overview.job_lines(),
            "ticks": list(overview.tick_lines(workers)),
            "waiting": overview.queue_length(),
            **_proof_of_ledger(),
        }
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "admin/upkeep/workerbeat/_worker.html", context)
        context |= self.admin_site.each_context(request)
        context |= {"title": capfirst(self.opts.verbose_name_plural), "opts": self.opts}
        return TemplateResponse(request, "admin/upkeep/workerbeat/worker.html", context)

    @method_decorator(require_POST)
    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Has a worker run a periodic job now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        overview.known_jobs()
        name = request.POST.get("name", "")
        if not runs.run_now(name):
            raise Http404
        job = {"job": title_of(name).title}
        if living_workers().exists():
            sentence = _("%(job)s will run in a moment.") % job
            self.message_user(request, sentence, messages.SUCCESS)
        else:
            sentence = _("%(job)s waits until a worker runs.") % job
            self.message_user(request, sentence, messages.WARNING)
        return redirect("admin:upkeep_workerbeat_changelist")


def _proof_of_ledger() -> dict[str, Any]:
    last = proof.last_proof()
    return {
        "anchor": proof.newest_anchor(),
        "proof": last,
        "proof_words": "" if last is None else runs.words_of(last),
        "proof_job": proof.JOB,
    }


@admin.register(JobRun)
class JobRunAdmin(UpkeepAdmin):
    list_display = ("job", "started", "took", "outcome", "words", "worker")
    list_display_links = None
    list_filter = ("failed",)
    list_per_page = 50
    search_fields = ("name",)
    show_full_result_count = False
    sortable_by = ("started",)

    @admin.display(description=gettext_lazy("job"))
    def job(self, run: JobRun) -> Any:
        return title_of(run.name).title

    @admin.display(description=gettext_lazy("started"), ordering="due")
    def started(self, run: JobRun) -> str:
        return exact_moment(run.started_at or run.due)

    @admin.display(description=gettext_lazy("took (s)"), empty_value="—")
    def took(self, run: JobRun) -> float | None:
        if run.started_at is None or run.ended_at is None:
            return None
        return round((run.ended_at - run.started_at).total_seconds(), 2)

    @admin.display(description=gettext_lazy("well"), boolean=True)
    def outcome(self, run: JobRun) -> bool | None:
        return None if run.ended_at is None else not run.failed

    @admin.display(description=gettext_lazy("result"), empty_value="—")
    def words(self, run: JobRun) -> str | None:
        return runs.words_of(run) or None
