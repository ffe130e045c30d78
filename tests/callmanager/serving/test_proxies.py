"""Whose address a request has: what our own proxies say, never what the client says."""

import pytest
from django.test import Client

from callmanager.serving import proxies
from callmanager.serving.daphne import _origin
from tests.support.limits import standing_clock
from tests.support.people import PASSWORD

PEER, CLIENT = "10.0.0.2", "203.0.113.9"
# How many proxies are ours, what they say, and whose address that is.
TOLD = {
    (0, CLIENT): PEER,
    (0, ""): PEER,
    (1, CLIENT): CLIENT,
    (1, f"198.51.100.1, {CLIENT}"): CLIENT,
    (1, f"198.51.100.1,{CLIENT} "): CLIENT,
    (1, ""): PEER,
    (1, "unknown"): PEER,
    (1, f"{CLIENT}, "): PEER,
    (2, f"198.51.100.1, {CLIENT}, 10.0.0.3"): CLIENT,
    (2, CLIENT): CLIENT,
    (1, f"{CLIENT}:4711"): CLIENT,
    (1, "2001:db8::7"): "2001:db8::7",
    (1, "[2001:db8::7]:4711"): "2001:db8::7",
    (1, f"::ffff:{CLIENT}"): CLIENT,
}


@pytest.mark.parametrize(("hops", "told"), TOLD)
def test_the_address_is_counted_from_our_side(hops, told):
    assert proxies.origin(hops, told, "", PEER, "http") == (TOLD[hops, told], "http")


def test_the_scheme_is_believed_of_our_proxies_alone():
    assert proxies.origin(0, "", "https", PEER, "http")[1] == "http"
    assert proxies.origin(1, "", "https", PEER, "http")[1] == "https"
    assert proxies.origin(1, "", "https, HTTP", PEER, "https")[1] == "http"
    assert proxies.origin(1, "", "gopher", PEER, "http")[1] == "http"


def test_daphnes_own_option_counts_likewise(settings):
    """`--proxy-headers` believes the first address; its WebSockets have plain mappings."""
    settings.TRUSTED_PROXIES = 1
    told = {b"x-forwarded-for": f"198.51.100.1, {CLIENT}".encode(), b"x-forwarded-proto": b"https"}
    assert _origin(told, "", "", "", [PEER, 1], "http") == ([CLIENT, 1], "https")
    assert _origin({}, "", "", "", None) == (None, "http")


def try_as(client: Client, name: str, told: str) -> int:
    form = {"username": name, "password": "wrong"}
    more = {"REMOTE_ADDR": PEER, "HTTP_X_FORWARDED_FOR": told}
    return client.post("/login/", form, **more).status_code


@pytest.mark.engines
def test_nobody_chooses_the_address_that_is_counted(client, people, settings, monkeypatch):
    standing_clock(monkeypatch)
    for hops, told in ((0, "198.51.100.{}"), (1, "198.51.100.{}, " + CLIENT)):
        settings.TRUSTED_PROXIES = hops
        tries = [try_as(client, f"{hops}-{n}", told.format(n)) for n in range(12)]
        assert tries == [200] * 10 + [429] * 2
    assert try_as(client, "another", f"{CLIENT}, 198.51.100.77") == 200


@pytest.mark.once
def test_only_a_proxy_of_ours_makes_a_request_secure(client, people, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    settings.SECURE_SSL_HOST = "calls.example.com"
    told = {"HTTP_X_FORWARDED_PROTO": "https"}
    assert client.get("/login/", **told).headers["Location"] == "https://calls.example.com/login/"
    settings.TRUSTED_PROXIES = 1
    assert client.get("/login/", **told).status_code == 200
    assert "Strict-Transport-Security" in client.get("/login/", **told).headers
    assert client.post("/login/", {"username": "alice", "password": PASSWORD}).status_code == 301


@pytest.mark.once
def test_what_requests_tell_is_noted_for_the_doctor(client, db, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    assert proxies.last_seen() is None
    monkeypatch.setattr(proxies, "sample", proxies.Sample())
    client.get("/login/", HTTP_X_FORWARDED_FOR=f"{CLIENT}, {PEER}")
    seen = proxies.last_seen()
    assert seen is not None and seen.requests == {2: 1}
    assert proxies.sample_file().stat().st_mode & 0o777 == 0o600
    proxies.sample_file().write_text("{")
    assert proxies.last_seen() is None
