"""Every page of the installation that the environment names: milliseconds, statements, size.

`DATA_DIR=... DEMO=1 python -m bench.pages`, or with DATABASE_URL: read only, on data seeded before
(`manage.py seed_demo --calls 5000000 --agents 500 --teams 25 --days 365`).
"""

import statistics
from typing import Final

from bench.worker import page, visitor  # sets Django up

from django.db import connection  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from accounts.models import User  # isort: skip
from calls.models import CallLog  # isort: skip

ROUNDS: Final = 7
MOST_MS: Final = 100
MOST_STATEMENTS: Final = 12
_FRAME: Final = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")

AGENT, SUPERVISOR, ADMINISTRATOR = "agent1", "supervisor1", "admin"
PERIODS: Final = ("today", "week", "last_month")


def places() -> list[tuple[str, str]]:
    """(who, address) of the pages, the heavy ones with several periods and filters."""
    agent = User.objects.get(username=AGENT)
    call = CallLog.objects.filter(user=agent).newest_first().first()
    found = [
        (AGENT, "/"),
        (AGENT, "/?period=last_month"),
        (AGENT, "/recent/"),
        (AGENT, "/timer/"),
        (AGENT, "/calls/"),
        (AGENT, "/calls/?search=maria"),
        (AGENT, "/contacts/?q=mar"),
        (AGENT, "/me/"),
        (AGENT, f"/agents/{agent.pk}/"),
        (AGENT, "/figures/calls_made/?period=month"),
        (SUPERVISOR, "/calls/"),
        (SUPERVISOR, "/calls/?period=month"),
        (SUPERVISOR, "/calls/?search=maria"),
        (ADMINISTRATOR, "/team/?team=1&period=last_month"),
        (ADMINISTRATOR, "/calls/"),
        (ADMINISTRATOR, "/calls/?period=month"),
        (ADMINISTRATOR, "/calls/?status=FAILED"),
        (ADMINISTRATOR, "/calls/?search=maria"),
        (ADMINISTRATOR, "/calls/?search=xylophon"),
        (ADMINISTRATOR, "/calls/?search=5068"),
        (ADMINISTRATOR, "/calls/?min_duration=2:00:00"),
        (ADMINISTRATOR, "/calls/?evidence=E"),
        (ADMINISTRATOR, "/calls/totals/?period=month"),
        (ADMINISTRATOR, "/calls/totals/?search=maria"),
        (ADMINISTRATOR, f"/agents/{agent.pk}/?period=month"),
        (ADMINISTRATOR, "/contacts/"),
        (ADMINISTRATOR, "/contacts/import/"),
        (ADMINISTRATOR, "/exports/"),
        (ADMINISTRATOR, "/admin/"),
        (ADMINISTRATOR, "/admin/calls/calllog/"),
        (ADMINISTRATOR, "/api/calls/log?limit=100"),
    ]
    for who in (SUPERVISOR, ADMINISTRATOR):
        found += [(who, "/wall/")]
        for period in PERIODS:
            found += [
                (who, f"/team/?period={period}"),
                (who, f"/plots/?period={period}"),
                (who, f"/reports/?period={period}"),
                (who, f"/figures/avg_call_duration/?period={period}"),
            ]
    found += [(ADMINISTRATOR, f"/organization/?period={period}") for period in PERIODS]
    if call is not None:
        found.append((AGENT, f"/calls/{call.call_id}/"))
    return found


def statements(who: str, path: str) -> int:
    """How often the page asks the database, the transaction around it not counted."""
    client = visitor(who, path)
    with CaptureQueriesContext(connection) as seen:
        client.get(path)
    return sum(not query["sql"].startswith(_FRAME) for query in seen.captured_queries)


def main() -> None:
    connection.ensure_connection()
    print(f"{CallLog.objects.count()} calls on {connection.vendor}; median of {ROUNDS}, ms")
    slow = many = 0
    for who, path in places():
        taken = statistics.median(page(path, ROUNDS, who))
        asked = statements(who, path)
        slow += taken > MOST_MS
        many += asked > MOST_STATEMENTS
        signs = " slow" * (taken > MOST_MS) + " many" * (asked > MOST_STATEMENTS)
        print(f"  {who:<12}{path:<52}{taken:6.0f} ms{asked:4} statements{signs}", flush=True)
    print(f"{slow} over {MOST_MS} ms, {many} with more than {MOST_STATEMENTS} statements")


if __name__ == "__main__":
    main()
