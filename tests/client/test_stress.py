"""Every call once, whatever happens between a program and the server; much more in tests/proof."""

import pytest

from tests.support import stress

pytestmark = [pytest.mark.server, pytest.mark.engines]


def test_every_call_once_whatever_happens_between(live_people, server, tmp_path):
    dose = stress.Dose(threads=8, calls=3, kills=1)
    stress.run(dose, live_people.alice, server, tmp_path / "calls")
