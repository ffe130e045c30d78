"""Statements about some people: each group of people has its own, whoever asked before."""

import pytest

from accounts.models import User
from common.instants import today
from metrics.rollups import of_people
from metrics.rollups.daily import sums_by
from metrics.rollups.histograms import shapes_by_day
from tests.support.people import make_call

pytestmark = pytest.mark.engines


def made(users) -> dict[int, int]:
    """The calls that each of `users` made today."""
    sums = sums_by("user", users, today(), today())
    return {user_id: its_sums.calls_made for user_id, its_sums in sums.items()}


@pytest.mark.parametrize("most_kept", [1, 256])
def test_every_group_of_people_has_its_own_answer(people, monkeypatch, most_kept):
    monkeypatch.setattr(of_people, "MOST_KEPT", most_kept)
    alice, bob, carol = people.alice.pk, people.bob.pk, people.carol.pk
    for person in (people.alice, people.alice, people.bob, people.carol):
        make_call(person)
    for _once_more in range(2):
        assert made(User.objects.all()) == {alice: 2, bob: 1, carol: 1}
        assert made(User.objects.filter(team=people.red)) == {alice: 2, bob: 1}
        assert made(User.objects.filter(team=people.carol.team)) == {carol: 1}
        assert made([bob]) == {bob: 1}
        assert made([bob, carol]) == {bob: 1, carol: 1}


def test_nobody_has_nothing(people):
    make_call(people.alice)
    for nobody in ([], User.objects.none(), User.objects.filter(team__in=[])):
        sums = sums_by("day", nobody, today(), today())
        assert (sums, sums.total.calls_made) == ({}, 0)
        assert shapes_by_day(nobody, today(), today()) == {}


def test_what_was_added_since_is_in_the_next_answer(people):
    group = User.objects.filter(team=people.red)
    make_call(people.alice)
    assert made(group) == {people.alice.pk: 1}
    make_call(people.bob)
    assert made(group) == {people.alice.pk: 1, people.bob.pk: 1}
