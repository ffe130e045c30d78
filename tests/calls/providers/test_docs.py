"""What docs/providers.md shows is run: the request of the generic hook, and the worked example."""

import os
import re
import shutil
import subprocess
import sys
import types

import pytest

import calls.providers
from calls.models import CallLog, ProviderAccount, ProviderIdentity, RawEvent
from calls.providers import adapters
from tests.support.patience import PATIENCE
from tests.support.server import ROOT
from tests.support.telling import SECRET, T

pytestmark = pytest.mark.once

PAGE = (ROOT / "docs" / "providers.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def make_account(people, kind, secret):
    account = ProviderAccount(kind=kind, name="main")
    account.add_secret(secret, SECRET)
    account.save()
    ProviderIdentity.objects.create(account=account, identity="801", user=people.alice)


def test_every_hook_has_a_section_and_a_row():
    kinds = {kind for kind, adapter in adapters().items() if adapter.has_hook}
    rows = set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE))
    assert kinds <= rows
    names = {"Twilio", "Zoom Phone", "Aircall", "RingCentral", "FreeSWITCH", "Any other system"}
    assert names <= set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))


def test_every_secret_and_setting_is_explained():
    for adapter in adapters().values():
        if adapter.has_hook:
            words = [*adapter.secret_names, *adapter.optional_secret_names]
            words += [setting.name for setting in adapter.setting_names]
            assert [word for word in words if f"`{word}`" not in PAGE and word != "secret"] == []


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl"
)
def test_the_request_by_curl_starts_a_call(live_people, live_server):
    make_account(live_people, "generic", "secret")
    (script,) = blocks("bash")
    hook = f"{live_server.url}/hooks/generic/main/"
    for secret in ("wrong", SECRET):
        environment = os.environ | {"HOOK": hook, "SECRET": secret}
        done = subprocess.run(
            ["bash", "-euc", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        assert ("error" in done.stdout) == (secret == "wrong")
    call = CallLog.objects.get()
    assert (call.user, call.contact_phone) == (live_people.alice, "+50651234567")
    assert RawEvent.objects.get().outcome == RawEvent.TAKEN


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The example's adapter, in a file of its own and found by being there; its test file."""
    source, test = blocks("python")
    (tmp_path / "acme.py").write_text(source)
    monkeypatch.setattr(calls.providers, "__path__", [*calls.providers.__path__, str(tmp_path)])
    adapters.cache_clear()
    yield test
    adapters()["acme"].kind = ""  # whoever still holds the class: it is no adapter any more
    sys.modules.pop("calls.providers.acme", None)
    adapters.cache_clear()


def test_the_worked_example_passes_its_own_tests(example):
    module = types.ModuleType("example_of_a_test_file")
    exec(compile(example, "docs/providers.md", "exec"), vars(module))
    tests = [name for name in vars(module) if name.startswith("test_")]
    assert len(tests) == 3
    for name in tests:
        getattr(module, name)()


@pytest.mark.django_db
def test_the_worked_example_works_through_its_hook(client, people, example):
    assert "acme" in adapters()
    make_account(people, "acme", "key")
    for seconds, what in ((110, "down"), (0, "dial"), (9, "up")):
        said = {"call": 7, "who": 801, "to": "51234567", "what": what, "t": T // 1000 + seconds}
        assert client.get("/hooks/acme/main/", said | {"key": SECRET}).status_code == 204
        assert client.get("/hooks/acme/main/", said | {"key": "no"}).status_code == 403
    call = CallLog.objects.get()
    assert (call.user, call.ring_seconds, call.talk_seconds) == (people.alice, 9, 101)
    assert not RawEvent.objects.filter(query__contains=SECRET).exists()


def test_what_the_administration_shows_as_html_holds_no_tags():
    helps = [str(one.help) for adapter in adapters().values() for one in adapter.setting_names]
    assert [text for text in helps if "<" in text] == []
