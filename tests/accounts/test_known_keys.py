"""What is known of an API key for two seconds, and what makes it forgotten before."""

import pytest
from django.contrib.auth.models import Group

from accounts.known_keys import KnownKey, KnownKeys
from accounts.models import ApiKey
from tests.support.api import Api

pytestmark = [pytest.mark.django_db, pytest.mark.once]

KNOWN = KnownKey(("columns",), frozenset(), None)


def test_a_key_is_looked_up_once():
    keys, asked = KnownKeys(), []
    for _ in range(3):
        assert keys.get("digest", lambda digest: asked.append(digest) or KNOWN) is KNOWN
    assert asked == ["digest"]


def test_what_was_looked_up_before_a_change_is_not_kept():
    keys = KnownKeys()

    def look_up(digest):
        keys.forget()  # somebody revokes the key while it is looked up
        return KNOWN

    keys.get("digest", look_up)
    assert keys.get("digest", lambda digest: None) is None


def test_an_unknown_key_is_not_kept():
    keys = KnownKeys()
    assert keys.get("digest", lambda digest: None) is None
    assert keys.get("digest", lambda digest: KNOWN) is KNOWN


def test_who_is_sent_to_another_role_sees_it_in_the_next_answer(people):
    api = Api(people.sue)
    assert api.get("metrics/team").status_code == 200
    people.sue.groups.set([Group.objects.get(name="Agent")])
    assert api.get("metrics/team").status_code == 403


def test_a_key_does_not_outlive_its_deleted_owner(people):
    _key, secret = ApiKey.issue(people.alice)
    api = Api(key=secret)
    assert api.get("calls/log").status_code == 200
    people.alice.delete()
    assert api.get("calls/log").status_code == 401
