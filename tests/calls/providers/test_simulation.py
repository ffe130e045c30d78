"""Simulated calls through the real server: exact in any order, and no loss goes unmarked."""

import pytest
from django.core.management import CommandError, call_command

from calls.models import CallLog, ConversationNumber, ProviderAccount, RawEvent
from calls.providers import adapters
from calls.simulation import builders
from calls.simulation.play import kinds
from calls.simulation.trial import try_hook
from tests.support.client import NOWHERE
from tests.support.playing import check_chaos, check_losses

pytestmark = [pytest.mark.server, pytest.mark.once]


@pytest.mark.engines
@pytest.mark.parametrize("kind", kinds())
def test_chaos_leaves_every_call_exact_and_no_trace(server, kind):
    check_chaos(kind, 6, 3, server.url)


@pytest.mark.parametrize("kind", kinds())
def test_what_is_lost_is_marked(server, kind):
    check_losses(kind, 8, 2, server.url)


def test_the_command_prints_the_truth_beside_what_was_recorded(server, capsys):
    call_command("simulate_provider", "generic", "--calls", "3", "--url", server.url)
    printed = capsys.readouterr().out
    assert "a temporary account with people of its own" in printed
    assert "3 calls: 100.00 % exact (exact 3" in printed
    assert printed.count("   exact") == 3


def test_a_site_that_does_not_answer_is_told_in_words(transactional_db):
    with pytest.raises(CommandError, match="does not answer"):
        call_command("simulate_provider", "zoom", "--url", NOWHERE)
    assert not ProviderAccount.objects.exists()
    with pytest.raises(CommandError, match="no account nothing"):
        call_command("simulate_provider", "zoom", "--account", "nothing")
    with pytest.raises(CommandError, match="percentage"):
        call_command("simulate_provider", "zoom", "--losses", "101")


@pytest.mark.parametrize("kind", builders())
def test_an_administrator_tries_a_hook(server, live_people, kind):
    account = ProviderAccount(kind=kind, name="main")
    for name in adapters()[kind].secret_names:
        account.add_secret(name, "a secret of ours")
    account.save()
    lines = try_hook(account, server.url)
    assert "works" in lines[-2] or "funciona" in lines[-2]
    for model in (CallLog, RawEvent, ConversationNumber):
        assert not model.objects.exists()
    assert ProviderAccount.objects.filter(name="main").exists()


def test_a_hook_without_a_secret_is_said_to_have_none(server, live_people):
    account = ProviderAccount.objects.create(kind="zoom", name="main")
    assert len(try_hook(account, server.url)) == 1
