"""Proves at length, for every phone system, that its calls are recorded exactly in any order of its
messages, and that what is lost is marked."""

import pytest

from calls.simulation.play import kinds
from tests.support.playing import check_chaos, check_losses

pytestmark = pytest.mark.server

SEEDS = range(1, 4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", kinds())
def test_chaos_leaves_every_call_exact_and_no_trace(server, kind, seed):
    check_chaos(kind, 60, seed, server.url)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", kinds())
def test_what_is_lost_is_marked(server, kind, seed):
    check_losses(kind, 60, seed, server.url)
