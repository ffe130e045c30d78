"""Proves at length that the API answers only what its description allows: every edge of every
parameter of every operation, and many requests that a fuzzer makes up."""

import pytest

from tests.support.fuzzing import contradictions
from tests.support.people import key_of

pytestmark = pytest.mark.server


def test_what_the_description_says_is_true_of_every_operation(live_people, server, tmp_path):
    options = ("--phases=examples,coverage,fuzzing", "--max-examples=50")
    assert contradictions(server, key_of(live_people.ada), tmp_path, *options) == ""
