"""The files of imports lie in a folder of each test's own, and sentences are in English."""

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Else in that of the installation, or whichever another test left behind."""
    with translation.override("en"):
        yield
