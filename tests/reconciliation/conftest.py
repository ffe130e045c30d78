"""The files of imports lie in a folder of each test's own, and what is said is said in English,
whatever language the test before asked a page in."""

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield
