"""Proves that no call is lost, doubled or changed by a thousand faults and five killed servers.

50 threads with 100 calls each, through a proxy that loses, delays and doubles.
"""

import pytest

from tests.support import stress

pytestmark = pytest.mark.server


def test_every_call_once_whatever_happens_between(live_people, server, tmp_path):
    dose = stress.Dose(threads=50, calls=100, kills=5, longest=1.2, timeout=1.0)
    stress.run(dose, live_people.alice, server, tmp_path / "calls")
