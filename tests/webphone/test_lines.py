"""Lines: whose they are, what their page is told, and what nobody is."""

import logging

import pytest

from calls.models import Contact, DialChoice, DialLink, ProviderIdentity
from tests.support.doors import client_of
from tests.support.webphones import PASSWORD, make_account, make_line
from webphone.models import PhoneLine

pytestmark = pytest.mark.once
WEBSOCKET = "wss://sip.example.org:8443/ws"


@pytest.fixture
def account(db):
    account = make_account(
        WEBSOCKET, display="{name} (Acme)", ice="stun:a.example turn:b.example", turn_user="t"
    )
    account.add_secret("turn_password", "relay secret")
    account.save()
    return account


@pytest.fixture
def line(people, account):
    return make_line(people.alice, account)


def test_only_the_own_page_is_told_the_password(line, people, caplog):
    caplog.set_level(logging.DEBUG)
    answer = client_of(people.alice).get("/phone/config/")
    assert "no-store" in answer["Cache-Control"]
    said = answer.json()
    assert (said["password"], said["uri"]) == (PASSWORD, "sip:alice@call.test")
    assert said["name"] == "Alice (Acme)" and said["websocket"] == WEBSOCKET
    assert said["ice"] == [
        {"urls": "stun:a.example"},
        {"urls": ["turn:b.example"], "username": "t", "credential": "relay secret"},
    ]
    for other in (people.bob, people.sue, people.ada):
        assert client_of(other).get("/phone/config/").status_code == 404
    ada = client_of(people.ada)
    pages = ["/admin/webphone/phoneline/", f"/admin/webphone/phoneline/{line.pk}/change/"]
    shown = [ada.get(page).content.decode() for page in pages]
    shown += [client_of(people.alice).get(page).content.decode() for page in ("/phone/", "/me/")]
    assert not any(PASSWORD in page for page in [*shown, caplog.text, line.sealed_password])


def test_the_phones_page_alone_may_speak_with_the_sip_server(line, people):
    alice = client_of(people.alice)
    policy = alice.get("/phone/")["Content-Security-Policy"]
    assert "connect-src 'self' wss://sip.example.org:8443;" in f"{policy};"
    assert "jssip" in alice.get("/phone/").content.decode()
    desk = alice.get("/")
    assert "sip.example.org" not in desk["Content-Security-Policy"]
    assert "jssip" not in desk.content.decode() and "phone_link" in desk.content.decode()
    for other in (people.bob, people.ada):
        page = client_of(other).get("/phone/")
        assert "connect-src" not in page["Content-Security-Policy"]
        assert "jssip" not in page.content.decode()
        assert "phone_link" not in client_of(other).get("/").content.decode()


@pytest.mark.parametrize(
    "websocket", ["", "https://sip.example.org", "wss://a b", "wss://x;y", "wss://[", "wss://a:b@c"]
)
def test_an_address_that_cannot_be_read_is_said_to_be_so(line, people, account, websocket):
    account.settings["websocket"] = websocket
    account.save()
    alice = client_of(people.alice)
    page = alice.get("/phone/", headers={"Accept-Language": "en"})
    assert "missing or cannot be read" in page.content.decode()
    assert "connect-src" not in page["Content-Security-Policy"]
    assert alice.get("/phone/config/").status_code == 409


def test_a_password_of_another_key_is_said_to_be_so(line, people):
    PhoneLine.objects.update(sealed_password="sealed elsewhere")
    page = client_of(people.alice).get("/phone/", headers={"Accept-Language": "en"})
    assert "entered again" in page.content.decode()


def test_a_line_is_an_identity_while_it_works(line, people, account):
    def known_as():
        return set(ProviderIdentity.objects.values_list("identity", "user__username"))

    assert known_as() == {("alice", "alice")}
    line.sip_user, line.user = "Ext-7", people.bob
    line.save()
    assert known_as() == {("ext-7", "bob")}
    line.is_active = False
    line.save()
    assert known_as() == set()
    line.is_active = True
    line.save()
    line.delete()
    assert known_as() == set()


def test_who_has_a_line_may_call_with_it_and_nobody_else(line, people, account):
    alice, bob = client_of(people.alice), client_of(people.bob)
    way = DialLink.objects.get(account=account)
    assert DialLink.objects.of(people.alice) == way  # it was handed out
    assert way.url_to("+50688887777", people.alice) == "webphone:+50688887777"
    assert way in DialLink.objects.offered(people.alice)
    assert way not in DialLink.objects.offered(people.bob)
    assert bob.post("/me/dialing/", {"link": way.pk}).status_code == 302
    assert not DialChoice.objects.filter(user=people.bob).exists()
    way.is_default = True
    way.save()
    assert DialLink.objects.of(people.bob) != way
    contact = Contact(name="Elena", owner=people.alice)
    contact.set_numbers([("88887777", "mobile")])
    assert 'data-dial="webphone:+50688887777"' in alice.get("/").content.decode()


def test_a_chosen_way_stays_when_a_line_is_handed_out(people, account):
    callto = DialLink.objects.create(kind="callto")
    DialChoice.of_user(people.alice, callto)
    make_line(people.alice, account)
    assert DialLink.objects.of(people.alice) == callto


def test_the_phone_shows_who_calls(line, people, account):
    make_line(people.bob, account)
    contact = Contact(name="Elena", owner=people.alice)
    contact.set_numbers([("88887777", "mobile")])
    hers = Contact(name="Carols", owner=people.carol)
    hers.set_numbers([("88886666", "mobile")])

    def who(number):
        return client_of(people.alice).get("/phone/who/", {"number": number}).json()

    assert who("88887777") == {"name": "Elena", "number": "+506 8888 7777"}
    assert who("+506 8888-6666")["name"] == ""  # another's contact
    assert who("bob") == {"name": "Bob", "number": "bob"}
    assert who("x\x00") == {"name": "", "number": "x"}


def test_administrators_write_a_password_and_never_read_it(people, account):
    ada = client_of(people.ada)
    ada.cookies["django_language"] = "en"
    body = {"user": people.alice.pk, "account": account.pk, "sip_user": "alice", "is_active": "on"}
    page = ada.post("/admin/webphone/phoneline/add/", body).content.decode()
    assert not PhoneLine.objects.exists() and "errorlist" in page
    assert ada.post("/admin/webphone/phoneline/add/", body | {"password": "s p"}).status_code == 302
    line = PhoneLine.objects.get()
    assert line.password == "s p"
    change = f"/admin/webphone/phoneline/{line.pk}/change/"
    ada.post(change, body | {"sip_user": "alice2"})
    line.refresh_from_db()
    assert (line.sip_user, line.password) == ("alice2", "s p")
    ProviderIdentity.objects.create(account=account, identity="bob", user=people.bob)
    ada.post(change, body | {"sip_user": "bob"})
    assert ada.post(change, body | {"sip_user": "a:b"}).status_code == 200
    line.refresh_from_db()
    assert line.sip_user == "alice2"
    ada.post(f"/admin/webphone/phoneline/{line.pk}/delete/", {"post": "yes"})
    assert not ProviderIdentity.objects.filter(user=people.alice).exists()
