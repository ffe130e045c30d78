"""What each kind sends, over real HTTP and SMTP, and how it takes what can go wrong."""

import datetime as dt
import json
import re
import sys
from pathlib import Path

import pytest
from apprise.manager_plugins import NotificationManager
from django.utils import translation

from common.outgoing_http import AddressRefused, NoAnswer
from notifications.channels import (
    discord,
    guarded_requests,
    others,
    slack,
    teams,
    telegram,
    webhook,
)
from notifications.channels.base import Message, Refused, TryAgain
from notifications.channels.kinds import KINDS
from notifications.models.channels import ChannelKind
from tests.support.mailbox import receiving_mail
from tests.support.receiver import endless, receiving, saying, silent

TOKEN = "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456"
MESSAGE = Message(
    reference="callmanager-7",
    language="en",
    title="Long call",
    sentence="A call of Ana_María <Mora> & *Co* lasts 12 minutes.",
    link="https://calls.example.org/calls/x/",
    link_label="Open the call",
    facts=(("Agent", "Ana_María"), ("When", "27/11/2026 10:40")),
    data={"type": "alert.fired", "kind": "long_call"},
)


@pytest.fixture(autouse=True)
def here_too(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    settings.PUBLIC_BASE_URL = "https://calls.example.org"
    with translation.override("en"):
        yield


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def sent(receiver):
    return json.loads(receiver.received[-1].body)


def test_every_kind_is_there():
    assert set(KINDS) == set(ChannelKind)


def test_slack_is_told_in_blocks(receiver):
    slack.send({"url": receiver.url("/services/T0/B0/x")}, MESSAGE)
    told = sent(receiver)
    assert [block["type"] for block in told["blocks"]] == [
        "header",
        "section",
        "section",
        "actions",
    ]
    # Nothing in a name is formatting, a link or a mention.
    sentence = told["blocks"][1]["text"]["text"]
    assert (
        sentence
        == "A call of Ana_\u200bMaría &lt;Mora&gt; &amp; *\u200bCo*\u200b lasts 12 minutes."
    )
    (button,) = told["blocks"][3]["elements"]
    assert (button["url"], button["text"]["text"]) == (MESSAGE.link, "Open the call")
    assert MESSAGE.link in told["text"]


def test_teams_is_told_by_an_adaptive_card(receiver):
    receiver.answers = [saying(202, b"")]
    teams.send({"url": receiver.url("/workflows/x?sig=y")}, MESSAGE)
    (attachment,) = sent(receiver)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"], card["lang"]) == ("AdaptiveCard", "1.4", "en")
    assert card["body"][1]["text"] == r"A call of Ana\_María <Mora> & \*Co\* lasts 12 minutes."
    assert card["body"][2]["facts"][0] == {"title": "Agent", "value": r"Ana\_María"}
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open the call", "url": MESSAGE.link}
    ]


def test_discord_is_told_by_an_embed_that_mentions_nobody(receiver):
    receiver.answers = [saying(204, b"")]
    discord.send({"url": receiver.url("/api/webhooks/1/x")}, MESSAGE)
    told = sent(receiver)
    (embed,) = told["embeds"]
    assert embed["description"].startswith(r"A call of Ana\_María \<Mora\> & \*Co\* lasts")
    assert f"[Open the call]({MESSAGE.link})" in embed["description"]
    assert told["allowed_mentions"] == {"parse": []}


def test_telegram_is_told_in_html(receiver, settings):
    settings.TELEGRAM_API_URL = receiver.url("").rstrip("/")
    telegram.send({"token": TOKEN, "chat": "-100123"}, MESSAGE)
    assert receiver.received[0].path == f"/bot{TOKEN}/sendMessage"
    told = sent(receiver)
    assert (told["chat_id"], told["parse_mode"]) == ("-100123", "HTML")
    assert "Ana_María &lt;Mora&gt; &amp; *Co*" in told["text"]
    assert f'<a href="{MESSAGE.link}">Open the call</a>' in told["text"]


def test_a_webhook_is_told_in_json(receiver):
    webhook.send({"url": receiver.url("/in"), "authorization": "Bearer abc"}, MESSAGE)
    headers = receiver.received[0].headers
    assert (headers["authorization"], headers["idempotency-key"]) == ("Bearer abc", "callmanager-7")
    assert sent(receiver) == {
        "id": "callmanager-7",
        "title": "Long call",
        "text": MESSAGE.sentence,
        "link": MESSAGE.link,
        "language": "en",
        "type": "alert.fired",
        "kind": "long_call",
    }


@pytest.mark.parametrize("kind", ["json", "xml", "form", "gotify", "mmost", "ntfy"])
def test_apprise_tells_the_rest(receiver, kind):
    token = "a" * 24
    paths = {"gotify": f"/{token}", "mmost": f"/{token}", "ntfy": "/topic"}
    others.send({"url": f"{kind}://127.0.0.1:{receiver.port}{paths.get(kind, '/')}"}, MESSAGE)
    told = receiver.received[-1]
    assert b"12 minutes" in told.body.replace(b"+", b" ")
    assert b"calls.example.org" in told.body


def test_apprise_sends_nothing_into_a_private_network(receiver, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    with pytest.raises(AddressRefused, match="is an address of a private network"):
        others.send({"url": f"json://localhost:{receiver.port}/"}, MESSAGE)
    assert receiver.received == []


def test_apprise_follows_no_redirect_into_a_private_network(receiver, settings, monkeypatch):
    """The first address may be sent to; where it leads may not."""
    with receiving() as inside:
        receiver.answers = [saying(302, Location=inside.url("/", host="127.0.0.2"))]
        monkeypatch.setattr(
            "common.outgoing_http.is_public", lambda address: address == "127.0.0.1"
        )
        settings.OUTGOING_PRIVATE_ADDRESSES = False
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.2 is an address of a private"):
            others.send({"url": f"json://127.0.0.1:{receiver.port}/"}, MESSAGE)
        assert len(receiver.received) == 1
        assert inside.received == []


@pytest.mark.parametrize(
    "url",
    [
        "dbus://",
        "gnome://",
        "syslog://",
        "windows://",
        "macosx://",
        "mqtt://127.0.0.1/topic",
        "mailto://user:pass@example.org",
        "irc://example.org/room",
        "rsyslog://example.org",
        "workflows://x/y/z/?template=/etc/passwd",
        "fcm://project@target/?keyfile=/etc/passwd",
        "slack://a/b/c",
        "https://hooks.slack.com/services/T/B/x",
        "file:///etc/passwd",
        "nonsense",
        "",
    ],
)
def test_apprise_is_not_asked_for_what_is_here_or_reads_files(url):
    with pytest.raises(Refused, match="That is no address of a service that can be told"):
        others.send({"url": url}, MESSAGE)


def test_what_apprise_refused_is_told_without_its_secrets(receiver):
    token = "Secret123Secret123Secret"
    receiver.answers = [saying(401, f"bad {token}".encode())]
    with pytest.raises(Refused) as raised:
        others.send({"url": f"gotify://127.0.0.1:{receiver.port}/{token}"}, MESSAGE)
    assert str(raised.value) == "The service refused the message (401): bad •••"


def test_an_address_that_is_gone_is_refused_at_once(receiver):
    receiver.answers = [saying(404, b"no_service")]
    with pytest.raises(Refused, match=r"refused the message \(404\): no_service"):
        slack.send({"url": receiver.url()}, MESSAGE)


def test_a_token_is_in_no_error(receiver, settings):
    settings.TELEGRAM_API_URL = receiver.url("").rstrip("/")
    told = {"ok": False, "description": f"Unauthorized {TOKEN}"}
    receiver.answers = [saying(401, json.dumps(told).encode())]
    with pytest.raises(Refused) as raised:
        telegram.send({"token": TOKEN, "chat": "1"}, MESSAGE)
    assert str(raised.value) == "The service refused the message (401): Unauthorized •••"
    receiver.answers = [silent]
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    with pytest.raises(NoAnswer) as unanswered:
        telegram.send({"token": TOKEN, "chat": "1"}, MESSAGE)
    assert TOKEN not in str(unanswered.value)


def test_a_redirect_is_refused_with_a_hint(receiver):
    receiver.answers = [saying(302, Location="http://127.0.0.1/")]
    with pytest.raises(Refused, match=r"leads on to another one \(302\), which is not followed"):
        slack.send({"url": receiver.url()}, MESSAGE)
    assert len(receiver.received) == 1


def test_a_gigabyte_is_cut_off(receiver):
    receiver.answers = [endless]
    slack.send({"url": receiver.url()}, MESSAGE)


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (saying(500), None),
        (saying(503, Retry_After="120"), dt.timedelta(minutes=2)),
        (saying(429, b'{"parameters": {"retry_after": 7}}'), dt.timedelta(seconds=7)),
        (saying(429, b'{"retry_after": 0.5}'), dt.timedelta(seconds=0.5)),
        (saying(429, Retry_After="99999999"), dt.timedelta(hours=1)),
        (saying(429, Retry_After="-5"), dt.timedelta()),
        (saying(429, Retry_After="soon"), None),
        (saying(429, Retry_After=f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"), None),
        (saying(429, Retry_After="Sat, 28 Nov 2020 00:00:00 GMT"), dt.timedelta()),
        (saying(429, b"[]"), None),
    ],
)
def test_a_service_that_is_busy_is_asked_again_when_it_wants(receiver, answer, after):
    receiver.answers = [answer]
    with pytest.raises(TryAgain, match="it is busy or has a fault") as raised:
        slack.send({"url": receiver.url()}, MESSAGE)
    assert raised.value.after == after


def test_a_mail_arrives(settings):
    with receiving_mail(settings) as box:
        KINDS["email"].send({"address": "ana@example.org"}, MESSAGE)
    (got,) = box.mails
    assert (got["To"], got["Subject"].strip()) == ("ana@example.org", MESSAGE.sentence)
    assert got["Message-ID"] == "<callmanager-7@calls.example.org>"
    assert f'href="{MESSAGE.link}"' in got.get_body(("html",)).get_content()
    text = got.get_body(("plain",)).get_content()
    assert MESSAGE.sentence in text and f"Open the call: {MESSAGE.link}" in text


@pytest.mark.parametrize(
    ("answer", "fault"),
    [("550 no such user", Refused), ("451 greylisted", TryAgain)],
)
def test_a_mail_server_says_no_or_later(settings, answer, fault):
    with receiving_mail(settings) as box:
        box.answers = [answer]
        with pytest.raises(fault, match=answer[4:]):
            KINDS["email"].send({"address": "ana@example.org"}, MESSAGE)


def test_a_mail_server_that_is_away(settings):
    with receiving_mail(settings):
        pass
    with pytest.raises(TryAgain, match="The mail server cannot be reached"):
        KINDS["email"].send({"address": "ana@example.org"}, MESSAGE)


def test_no_mail_server_is_set():
    with pytest.raises(Refused, match="This server sends no mail yet"):
        KINDS["email"].send({"address": "ana@example.org"}, MESSAGE)


def test_an_address_with_a_line_break_gets_no_mail(settings):
    with receiving_mail(settings) as box:
        with pytest.raises(Refused, match="cannot have a line break"):
            KINDS["email"].send({"address": "a@example.org\nBcc: b@example.org"}, MESSAGE)
    assert box.mails == []


def test_services_that_apprise_is_asked_for_use_nothing_but_guarded_requests():
    """A service of a new version that opens sockets or files of its own is not let in unseen."""
    plugins = NotificationManager()
    allowed = {plugins[scheme] for scheme in others._schemes()}
    assert len(allowed) > 100
    banned = re.compile(
        r"^\s*(?:import|from)\s+(?:socket|ssl|smtplib|subprocess|http\.client|urllib\.request"
        r"|websockets?|aiohttp|paho|dbus|gi)\b",
        re.M,
    )
    for plugin in allowed:
        module = sys.modules[plugin.__module__]
        assert module.requests is guarded_requests.GUARDED
        assert not banned.search(Path(module.__file__).read_text()), plugin
