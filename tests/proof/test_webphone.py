"""Proves on real pages at a real SIP server that calls of the phone in the page are as long as they
were, however they went."""

import pytest

from tests.support.patience import await_that
from tests.support.webphones import *  # noqa: F403  (fixtures)
from tests.support.webphones import calls_of, talked_ms

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.telephony]


def test_try(exchange, live_people):
    alice = exchange.phone(live_people.alice).ready()
    bob = exchange.phone(live_people.bob).ready()
    alice.dial("bob")
    bob.awaits("ringing")
    bob.press("Answer")
    alice.awaits("talking")
    alice.press("Hold")
    alice.awaits("held")
    bob.awaits("held_there")
    alice.press("Resume")
    alice.awaits("talking")
    alice.press("Hang up")
    await_that(bob.is_idle)
    alice.sent()
    bob.sent()
    print(exchange.dialogues())
    for user in (live_people.alice, live_people.bob):
        for call in calls_of(user):
            print(user, call, call.status, call.evidence, call.end_reason, talked_ms(call), call.hold_seconds, call.conversation, call.is_shared, call.missing)
            for event in call.events.all():
                print("   ", event.occurred_at, event.kind, event.source, event.data)
