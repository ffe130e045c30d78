"""The filter of calls as a plain thing: what it says does not depend on what was asked before."""

from itertools import permutations

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.models import User
from calls.history.filters import CallFilter
from tests.support.people import make_call

pytestmark = pytest.mark.engines

QUESTIONS = {
    "calls": lambda found: list(found.qs),
    "people": lambda found: list(found.people()),
    "person": lambda found: found.person_id,
    "days": lambda found: found.days,
    "errors": lambda found: dict(found.errors),
}
QUERIES = (
    *("agent=alice&search=acme", "agent=alice&user_id=bob", "agent=nobody", "user_id=alice"),
    *("team=none", "search=acme&period=week", "from=2026-01-01&to=2026-01-02", ""),
)


def asked(viewer: User, query: str, order: tuple[str, ...]) -> dict[str, object]:
    found = CallFilter(QueryDict(query), viewer=viewer)
    return {name: QUESTIONS[name](found) for name in order}


@pytest.mark.parametrize("query", QUERIES)
def test_the_questions_may_be_asked_in_any_order(people, query):
    for person in (people.alice, people.bob):
        make_call(person, contact_ref="acme")
    first, *others = [asked(people.sue, query, order) for order in permutations(QUESTIONS, 3)]
    known = asked(people.sue, query, tuple(QUESTIONS))
    for answers in (first, *others):
        assert answers == {name: known[name] for name in answers}


@pytest.mark.parametrize(
    ("viewer", "query", "person"),
    [
        *(("alice", "", "alice"), ("sue", "", None), ("sue", "agent=bob", "bob")),
        *(("sue", "user_id=alice&agent=bob", "bob"), ("sue", "agent=carol", None)),
    ],
)
def test_whose_calls_these_can_be_at_most(people, viewer, query, person):
    found = CallFilter(QueryDict(query), viewer=getattr(people, viewer))
    assert found.person_id == (person and getattr(people, person).pk)


def test_of_two_people_at_once_there_are_no_calls(people):
    make_call(people.alice)
    found = CallFilter(QueryDict("user_id=alice&agent=bob"), viewer=people.sue)
    assert (list(found.qs), list(found.people())) == ([], [])


def test_what_cannot_be_read_has_no_calls_and_no_people(people):
    found = CallFilter(QueryDict("team=x"), viewer=people.sue)
    for question in ("calls", "people", "person", "days"):
        with pytest.raises(ValidationError):
            QUESTIONS[question](found)


def test_what_is_wrong_with_the_period_is_said_of_the_period_alone(people):
    for query, field in (("period=someday", "period"), ("from=2026-01-02", "to"), ("team=x", "")):
        error = CallFilter(QueryDict(query), viewer=people.sue).period_error
        assert (error.field if error else "") == field
