"""The laws that hold for every phone system with a hook; a new one is under them by being there.

What is particular to one is in its own test file. Asterisk, which has no hook, is tried in
tests/calls/telephony/.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers import adapters
from calls.providers.base import Payload, Unknown
from calls.simulation import builders
from tests.support import telling
from tests.support.telling import T, as_request, heard, make, target_of

every_kind = pytest.mark.parametrize("kind", builders())


def test_every_adapter_with_a_hook_has_a_builder():
    """Without one, none of the laws would be asked of it, and nobody would notice."""
    assert set(builders()) == {kind for kind, adapter in adapters().items() if adapter.has_hook}


@every_kind
@settings(max_examples=40)
@given(script=telling.scripts(), data=st.data())
def test_simulated_calls_are_recorded_exactly_in_any_order(kind, script, data):
    telling.check_truth(make(kind), script)
    telling.check_any_order(make(kind), script, data)


@every_kind
@settings(max_examples=20)
@given(script=telling.scripts())
def test_forgeries_are_refused(kind, script):
    telling.check_forgeries(make(kind), script)


@every_kind
@settings(max_examples=60)
@given(script=telling.scripts(), data=st.data())
def test_what_is_lost_is_marked(kind, script, data):
    telling.check_losses(make(kind), script, data)


@every_kind
@settings(max_examples=20)
@given(script=telling.scripts())
def test_no_secret_is_kept(kind, script):
    adapter = make(kind)
    for sent in telling.requests_of(adapter, script):
        kept = adapter.kept(as_request(sent))
        assert telling.SECRET not in kept.query and telling.SECRET.encode() not in kept.body


@every_kind
@settings(max_examples=20)
@given(script=telling.scripts())
def test_what_nobody_knows_is_said_to_be_unknown(kind, script):
    adapter, builder = make(kind), builders()[kind]
    odd = builder.unknown(builder.as_reported(script), target_of(adapter))
    with pytest.raises(Unknown, match=r"(?i)levitated"):
        heard(adapter, as_request(odd))


@every_kind
@settings(max_examples=100)
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
    query=st.text(max_size=20),
)
def test_no_bytes_make_it_stumble(kind, body, content_type, query):
    telling.check_never_stumbles(make(kind), Payload(body, T, content_type, query))


@every_kind
@settings(max_examples=100)
@given(data=st.data())
def test_no_value_makes_it_stumble(kind, data):
    adapter = make(kind)
    telling.check_never_stumbles(adapter, telling.spoiled_request(adapter, data.draw))
