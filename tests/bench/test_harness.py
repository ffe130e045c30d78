"""The harness of the benchmarks: its arithmetic, its HTTP, its targets, and the profile."""

import math

import pytest

from bench import profile
from bench.__main__ import PARTS
from bench.figures import Figure, percentile, spread
from bench.programs import Keyed
from bench.sampling import layer_of
from bench.statements import shortened
from bench.targets import GREAT, MISS, OK, judged, missed, targets
from bench.wire import Reader, request
from callmanager.wsgi import application
from tests.support.people import key_of


def test_a_percentile_is_one_of_the_values():
    values = list(range(100, 0, -1))
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_a_spread_is_a_share_of_the_median():
    assert spread([9, 10, 12]) == pytest.approx(0.3)
    assert Figure("x", [9, 10, 12]).in_words == "10 (9 to 12) noisy"
    assert Figure("x", [10, 10.1]).in_words == "10.1 (10 to 10.1)"


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_answers_are_put_together_from_any_pieces(piece):
    stream = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n"
    )
    reader, found = Reader(), []
    for place in range(0, len(stream), piece):
        answer = reader.feed(stream[place : place + piece])
        while answer is not None:
            found.append(answer)
            answer = reader.feed(b"")
    assert found == [(200, b"hello"), (201, b"abcde"), (204, b"")]


def test_a_request_goes_out_as_it_is_meant():
    made = request("POST", "/x", {"X-API-Key": "k"}, {"a": 1})
    head, body = made.split(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    assert head.startswith(b"POST /x HTTP/1.1\r\n") and b"Content-Length: 8" in head


def test_each_target_is_of_a_part_and_its_stretch_asks_more():
    for target in targets().values():
        assert target.part in PARTS
        assert target.mark(target.stretch) == GREAT
        assert target.mark(target.must) == OK


def test_a_run_is_judged_by_its_medians():
    wanted = targets()
    figures = {
        "pairs-daphne-flask-8": Figure("pairs-daphne-flask-8", [0.5, 1.4, 1.5]),
        "idle-memory": Figure("idle-memory", [200.0]),
    }
    table = judged(wanted, figures)
    assert [line.rsplit("| ", 1)[1] for line in table[2:]] == [f"{GREAT} |", f"{MISS} |"]
    assert [target.name for target in missed(wanted, figures)] == ["idle-memory"]


def test_frames_belong_to_the_layer_that_asked():
    assert layer_of("/x/metrics/rollups/daily.py", "recompute") == "sums"
    assert layer_of("/x/calls/timeline/fold.py", "fold") == "fold"
    assert layer_of("/x/django/db/models/query.py", "QuerySet.get") is None


def test_statements_are_shortened_to_a_line():
    long = 'SELECT "a"."one_column", "a"."another_column", "a"."third" FROM "a" WHERE "a"."id" = ?'
    assert shortened(long) == "SELECT a.one_column, a.another_column… FROM a WHERE a.id = ?"


@pytest.mark.once
def test_the_profile_tells_where_the_time_of_a_pair_goes(live_people, capsys):
    program = Keyed([key_of(live_people.alice)], key_of(live_people.ada))
    profile.tell(profile.Work("pair", application, program.pair), 2, 3)
    said = capsys.readouterr().out
    assert (
        "pair: " in said and "/api/calls/start: " in said and "Where the time of pair goes" in said
    )
