import pytest

from tests.reconciliation.formats.reading import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)
