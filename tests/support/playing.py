"""Simulated calls, played through the real server with all that happens on the way."""

from accounts.models import User
from calls.models import CallLog, ConversationNumber, ProviderAccount, ProviderIdentity, RawEvent
from calls.simulation.listening.play import LISTENED
from calls.simulation.play import Play, play
from calls.simulation.verdicts import EXACT, MARKED, UNHEARD


def check_chaos(kind: str, calls: int, seed: int, url: str) -> None:
    """Messages that come doubled and in any order leave every call exact, and no trace."""
    outcome = play(Play(kind, calls=calls, chaos=True, seed=seed, url=url))
    assert outcome.counts == dict.fromkeys(outcome.counts, 0) | {EXACT: calls}
    assert outcome.strangers == outcome.answers.refused == 0
    assert not [one for one in outcome.verdicts if one.marks and kind not in LISTENED]
    for model in (CallLog, RawEvent, ConversationNumber, ProviderAccount, ProviderIdentity):
        assert not model.objects.exists()
    assert not User.objects.filter(username__startswith="sim-").exists()


def check_losses(kind: str, calls: int, seed: int, url: str) -> None:
    """Messages that never come leave no call silently wrong."""
    outcome = play(Play(kind, calls=calls, chaos=True, losses=0.1, seed=seed, url=url))
    counts = outcome.counts
    assert counts[EXACT] + counts[MARKED] + counts[UNHEARD] == calls, counts
    assert outcome.lost > 0
