import pytest
from django.utils import translation

from tests.reconciliation.formats.reading import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield
