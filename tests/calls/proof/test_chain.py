"""What stands in a line's hash: one text for what an engine may give back, and no other for it."""

import json
from copy import deepcopy
from decimal import Decimal
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import timeline
from calls.timeline import chain

NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DATA = st.dictionaries(NAMES | st.sampled_from(["notes", "number", "said", "reason"]), VALUES)
UNREAD = st.dictionaries(NAMES, NAMES | st.just(""), max_size=3)


@given(DATA)
def test_what_json_gives_back_is_the_same(data):
    assert chain.canonical(json.loads(json.dumps(data))) == chain.canonical(data)
    turned = dict(reversed(list(data.items())))
    assert chain.canonical(turned) == chain.canonical(data)


@given(VALUES, VALUES)
def test_two_texts_are_one_only_for_equal_values(one, other):
    same = chain.canonical(one) == chain.canonical(other)
    assert same == (alike(one) == alike(other))


def alike(value):
    """Equal for what says the same in JSON, where a number is its digits."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return ("number", Decimal(repr(value)))
    if isinstance(value, dict):
        return {name: alike(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [alike(inner) for inner in value]
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (0, -0.0), (1e16, 10**16), (1.5e300, 15 * 10**299), (2.5, 2.50), ((1,), [1])],
)
def test_numbers_are_the_same_however_they_are_written(one, other):
    assert chain.canonical({"a": one}) == chain.canonical({"a": other})


@given(st.sampled_from(timeline.KINDS), DATA, UNREAD)
def test_blanking_leaves_the_part_that_stays(kind, data, unread):
    data = data | ({"unread": unread} if unread else {})
    stays, personal = chain.parted(kind, deepcopy(data))
    blank = {
        name: value
        for name, value in data.items()
        if name not in chain.PERSONAL and not (kind == timeline.CORRECTED and name == "reason")
    }
    if unread:
        blank["unread"] = dict.fromkeys(unread, "")
    assert stays == blank
    assert chain.parted(kind, blank) == (blank, {})
    assert bool(personal) == (blank != data)


def test_every_part_of_a_line_changes_its_hash():
    said = ("p" * 64, 2, [1, "key", "ended", "at", "heard", "agent", 1, 1, "", None, "", None])
    right = chain.line_hash(*said, {"status": "COMPLETED"}, "c")
    for place in range(len(said[2])):
        columns = list(said[2])
        columns[place] = "other"
        assert chain.line_hash(*said[:2], columns, {"status": "COMPLETED"}, "c") != right
    assert chain.line_hash("q" * 64, *said[1:], {"status": "COMPLETED"}, "c") != right
    assert chain.line_hash(said[0], 3, said[2], {"status": "COMPLETED"}, "c") != right
    assert chain.line_hash(*said, {"status": "DROPPED"}, "c") != right
    assert chain.line_hash(*said, {"status": "COMPLETED"}, "d") != right


def test_a_commitment_tells_nothing_without_its_salt():
    text = {"number": "+50687654321"}
    assert chain.commitment(chain.new_salt(), text) != chain.commitment(chain.new_salt(), text)


@given(st.sampled_from(timeline.KINDS), DATA, UNREAD)
def test_the_migration_hashes_the_lines_that_were_there_as_the_code_does_new_ones(
    kind, data, unread
):
    then = import_module("calls.migrations._chain")
    data = data | ({"unread": unread} if unread else {})
    said = ("p", 2, [1, "key", kind, "at", "heard", "agent", 1, 1, "", None, "", None])
    digest, salt, committed = then.linked(*said, kind, data)
    stays, personal = chain.parted(kind, data)
    assert digest == chain.line_hash(*said, stays, committed)
    assert committed == (chain.commitment(salt, personal) if personal else "")
    assert then.first_link(7) == chain.first_link(7)
