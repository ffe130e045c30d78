# ruff: noqa: E402  (Django must be set up before its models are imported)
"""The half of a benchmark that needs Django: reads questions from standard input, answers there."""

import datetime as dt
import itertools
import json
import os
import resource
import sys
import tempfile
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from bench.wire import request
from calls import services
from calls.models import CallLog
from calls.simulation import builders
from calls.simulation.play import target_of
from calls.simulation.scripts import scripts
from calls.simulation.stage import set_up
from common.instants import local_day, to_ms
from metrics.exports.calls import CHUNK, sheet_of_calls
from metrics.exports.csv_file import Style, csv_of
from metrics.exports.document import Document, Sheet
from metrics.exports.xlsx_file import write_xlsx
from metrics.rollups.daily import sums_by


def pairs(seconds: float) -> float:
    """Calls started and ended through the services, a second."""
    agents = list(User.objects.filter(username__startswith="agent").order_by("pk"))
    done = 0
    begun = time.perf_counter()
    while (taken := time.perf_counter() - begun) < seconds:
        agent = agents[done % len(agents)]
        call, _ = services.start_call(agent)
        services.end_call(call.call_id, agent)
        done += 1
    return done / taken


def issue(count: int) -> dict[str, Any]:
    """`count` API keys, of the agents in turn, and one of the administrator."""
    agents = User.objects.filter(username__startswith="agent").order_by("pk")
    owners = itertools.islice(itertools.cycle(agents), count)
    with transaction.atomic():
        issued = [ApiKey.issue(agent)[1] for agent in owners]
        return {"agents": issued, "admin": ApiKey.issue(User.objects.get(username="admin"))[1]}


def cookie(username: str) -> str:
    """A signed-in session's cookie."""
    user = User.objects.get(username=username)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def cookies() -> list[str]:
    """The cookies of all agents, signed in."""
    with transaction.atomic():
        agents = User.objects.filter(username__startswith="agent").order_by("pk")
        return [cookie(agent.username) for agent in agents]


def page(path: str, rounds: int, who: str = "admin") -> list[float]:
    """Milliseconds that the whole of Django takes for a page; the first round does not count."""
    client = visitor(who, path)
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        answer = client.get(path)
        taken.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    return taken[1:]


def visitor(who: str, path: str) -> Client:
    """Somebody signed in, who asks for `path` as a browser would."""
    client = Client(
        SERVER_NAME="localhost", headers={"HX-Request": "true"} if "totals" in path else {}
    )
    client.force_login(User.objects.get(username=who))
    return client


def cursor(share: float) -> str:
    """The cursor of the page after that share of all calls."""
    keys = CallLog.objects.newest_first().values_list("start_time", "pk")
    start, pk = keys[int(CallLog.objects.count() * share)]
    return signing.dumps((to_ms(start), pk), salt="cursor.calls")


def file(form: str, most: int) -> dict[str, float]:
    """Writes the newest `most` calls to a file that is thrown away."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sheet = sheet_of_calls(CallLog.objects.all())
    rows = min(most, CallLog.objects.count())
    cut = Sheet(
        sheet.title, sheet.heads, lambda: itertools.islice(sheet.chunks(), -(-rows // CHUNK))
    )
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as target:
        if form == "csv":
            target.writelines(line.encode() for line in csv_of(cut, Style()))
        else:
            write_xlsx(Document("Calls", [], [cut]), target)
    seconds = time.perf_counter() - begun
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"rows": rows, "seconds": seconds, "mebibytes": grown / 1024}


def daily(rounds: int) -> list[float]:
    """Milliseconds for each agent's sums of thirty days, from daily rows."""
    agents = User.objects.filter(username__startswith="agent")
    last = local_day(timezone.now())
    first = last - dt.timedelta(days=29)
    taken = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        assert list(sums_by("user", agents, first, last))
        taken.append((time.perf_counter() - begun) * 1000)
    return taken[1:]


def hooks(count: int) -> list[str]:
    """At least `count` signed requests of a phone system with an account here, as they go over the
    wire, in Base64."""
    stage = set_up("generic", None, agents=50)
    target = target_of(stage.account, "http://127.0.0.1")
    builder = builders()["generic"]
    made = scripts(count // 3, stage.agents, 1, to_ms(timezone.now()) - 60_000)
    found = []
    for sent in (one for call in made for one in builder.requests(call, target)):
        path = urlsplit(sent.url).path
        found.append(b64encode(request(sent.method, path, sent.headers, sent.body)).decode())
    return found


ANSWERS: dict[str, Any] = {
    "pairs": pairs,
    "issue": issue,
    "cookie": cookie,
    "cookies": cookies,
    "page": page,
    "cursor": cursor,
    "file": file,
    "daily": daily,
    "hooks": hooks,
}


def main() -> None:
    for line in sys.stdin:
        question = json.loads(line)
        answer = ANSWERS[question.pop("what")](**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
