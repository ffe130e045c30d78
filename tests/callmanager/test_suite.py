"""The tests themselves: what runs on which engine, and that none waits by the clock."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Whoever has one of these looks at the database.
DATABASE = {"db", "transactional_db"}
# A proxy whose delays are what it is for; calls that have to last as long as they are said to.
DELAYS = {"faults.py", "test_webphone.py"}
WAIT = re.compile(r"(?:\bsleep|wait_for_timeout)\(([^()]*)\)")


def test_every_test_that_uses_the_database_says_where_it_runs(request):
    """On all engines, or on one since none can change what it sees: either is a decision."""
    undecided = {
        item.nodeid.split("[")[0]
        for item in request.session.items
        if (DATABASE & set(item.fixturenames) or item.get_closest_marker("django_db"))
        and not any(map(item.get_closest_marker, ("engines", "once")))
    }
    assert sorted(undecided) == []


def test_no_test_waits_by_the_clock():
    """A wait of more than 50 ms passes or fails by how busy the machine is; what only looks again
    and again for what must come true sleeps less."""
    found = {
        f"{path.relative_to(TESTS)}: {wait[0]}"
        for path in TESTS.rglob("*.py")
        if path.name not in DELAYS
        for wait in WAIT.finditer(path.read_text())
        if not re.fullmatch(r"0|0?\.0[0-4]\d*|0?\.05", wait[1])
    }
    assert sorted(found) == []
