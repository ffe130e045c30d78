"""What a report says of differences, and what it does not."""

import pytest
from django.utils import translation

from metrics.definitions import Sums
from metrics.exports.period_report import ReportLine
from notifications.schedules.comparing import Compared, changes_of, standings_of


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def sums(made: int, good: int, average: int = 100, spread: int = 10) -> Sums:
    return Sums(
        calls_success=good,
        calls_dropped=made - good,
        total_talk_time=made * average,
        talk_squares=made * (average**2 + spread**2),
    )


def line(name: str, made: int, good: int) -> ReportLine:
    return ReportLine({}, name, sums(made, good))


def test_the_best_is_named_where_no_interval_overlaps_and_the_difference_is_sound():
    found = standings_of([line("Alice", 200, 190), line("Bob", 200, 140), line("Carol", 200, 100)])
    assert found.sentences == [
        "Alice is the best by success rate: more than chance would explain.",
        "Carol has the lowest success rate: more than chance would explain.",
    ]
    (alice, *_) = found.highest
    # Wilson's interval of 190 of 200, reckoned apart.
    assert (round(alice.low, 1), round(alice.high, 1)) == (91.0, 97.3)


def test_where_intervals_overlap_that_is_said():
    found = standings_of([line("Alice", 200, 150), line("Bob", 200, 148), line("Carol", 200, 60)])
    assert found.sentences[0] == (
        "Nobody can be called the best: "
        "the intervals of Alice and Bob overlap, so it may be chance."
    )
    assert found.sentences[1].startswith("Carol has the lowest")


def test_apart_but_of_too_few_calls_nobody_is_the_best():
    found = standings_of([line("Alice", 12, 12), line("Bob", 40, 4)])
    assert found.sentences[0] == (
        "Nobody can be called the best: that takes 50 calls at least on each side."
    )


def test_the_ends_are_shown_and_how_many_stand_between():
    lines = [line(f"Agent {number}", 20, number) for number in range(9)]
    found = standings_of([*lines, line("New", 3, 3), line("Away", 0, 0)])
    assert [one.name for one in found.highest] == ["Agent 8", "Agent 7", "Agent 6"]
    assert [one.name for one in found.lowest] == ["Agent 2", "Agent 1", "Agent 0"]
    assert (found.left_out, found.too_few) == (3, 1)
    assert standings_of([line("Alice", 200, 190), line("New", 3, 3)]) is None


def test_only_changes_that_chance_hardly_explains_are_named():
    same = Compared("Red", sums(400, 300), sums(400, 305))
    worse = Compared("Blue", sums(400, 200), sums(400, 300))
    longer = Compared("Green", sums(400, 300, average=150), sums(400, 300))
    few = Compared("New", sums(30, 1), sums(30, 30))
    found = changes_of([same, worse, longer, few])
    assert [sentence.partition(" (")[0] for sentence in found] == [
        "Blue: the success rate fell from 75.0% to 50.0%",
        "Green: AHT rose from 01:40 to 02:30",
    ]
    assert changes_of([same]) == []
