"""The database, the folder of data, Redis and the worker's queue."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from huey.contrib.djhuey import HUEY

from callmanager.doctor.findings import Finding, error, ok, warning
from common.databases.sqlite.pragmas import pragmas
from common.private_files import permission_faults
from upkeep.jobs.heartbeat import living_workers

_MANY_TASKS = 50  # a worker that runs leaves no more than a few waiting


def database() -> Iterator[Finding]:
    """That it answers, and works in the way that we rely on."""
    if connection.vendor != "sqlite":
        yield ok(_("PostgreSQL %(version)s answers.") % {"version": _version_of_postgresql()})
        return
    name = {"name": connection.settings_dict["NAME"]}
    is_set = pragmas()
    if is_set["journal_mode"] != "wal":
        yield error(_("The SQLite database %(name)s is not in WAL mode.") % name)
    elif not is_set["foreign_keys"]:
        yield error(_("The SQLite database %(name)s does not check foreign keys.") % name)
    else:
        yield ok(_("The SQLite database %(name)s answers (WAL, foreign keys).") % name)


def _version_of_postgresql() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        sentence = ngettext(
            "%(n)d migration is missing: run manage.py migrate.",
            "%(n)d migrations are missing: run manage.py migrate.",
            missing,
        )
        yield error(sentence % {"n": missing})
    else:
        yield ok(_("All migrations are applied."))


def data_folder() -> Iterator[Finding]:
    """Who else on this machine may look at what is kept."""
    folder = Path(settings.DATA_DIR)
    open_ones = permission_faults(folder, settings.SQLITE_FILE)
    if folder in open_ones:
        sentence = _("Others on this machine may look into %(path)s: run chmod 700 on it.")
        yield warning(sentence % {"path": folder})
    elif open_ones:
        names = ", ".join(sorted(path.name for path in open_ones))
        yield ok(
            _("Nobody else may look into %(path)s, though they could read: %(names)s.")
            % {"path": folder, "names": names}
        )
    else:
        yield ok(_("Nobody else may look into %(path)s.") % {"path": folder})


def redis() -> Iterator[Finding]:
    if not settings.REDIS_URL:
        yield ok(_("No Redis: one web process and one worker, and no more."))
        return
    cache.get("doctor")  # raises where it does not answer
    yield ok(_("Redis answers."))


def worker() -> Iterator[Finding]:
    """By its signs of life, and by its queue: what waits long is seen by nobody."""
    workers = living_workers().count()
    waiting = HUEY.pending_count()
    if not workers:
        yield error(_("No worker is running: start manage.py run_huey."))
    elif waiting > _MANY_TASKS:
        sentence = _("%(n)d tasks wait: is the worker (manage.py run_huey) running?")
        yield error(sentence % {"n": waiting})
    else:
        sentence = ngettext("%(n)d worker is running.", "%(n)d workers are running.", workers)
        waits = _("Tasks that wait for the worker: %(n)d.") % {"n": waiting}
        yield ok(f"{sentence % {'n': workers}} {waits}")
