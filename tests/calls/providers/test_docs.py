"""What docs/providers.md shows is run: the request of the generic hook, and the worked example."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from contextlib import suppress
from itertools import combinations
from typing import ClassVar

import pytest
from django.utils import translation

import calls.providers
import calls.simulation
from calls import timeline
from calls.models import CallLog, ProviderAccount, ProviderIdentity, RawEvent
from calls.providers import adapters
from calls.providers.base import Payload
from calls.simulation import builders
from tests.calls.providers import test_laws, test_whose_call
from tests.support.patience import PATIENCE
from tests.support.server import ROOT
from tests.support.telling import DATA_KEYS, SECRET, T, make, states

pytestmark = pytest.mark.once

PAGE = (ROOT / "docs" / "providers.md").read_text()
README = (ROOT / "README.md").read_text()


def first_words():
    """What the phone systems with a hook are called: `Any` stands for any other."""
    with translation.override("en"):
        return [str(one.title).split()[0] for one in adapters().values() if one.has_hook]


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
    headings = " ".join(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    assert [name for name in first_words() if name not in headings] == []


def test_the_readme_names_every_phone_system():
    (line,) = re.findall(r"^- \*\*Phone systems.*?(?=^- )", README, re.MULTILINE | re.DOTALL)
    assert [name for name in first_words() if name.casefold() not in line.casefold()] == []


def test_every_secret_and_setting_is_explained():
    for adapter in adapters().values():
        if adapter.has_hook:
            words = [*adapter.secret_names, *adapter.optional_secret_names]
            words += [setting.name for setting in adapter.setting_names]
            assert [word for word in words if f"`{word}`" not in PAGE and word != "secret"] == []


class Asked(dict):
    """What an event says, and by which names it was asked."""

    names: ClassVar[set[str]] = set()

    def __contains__(self, name):
        self.names.add(name)
        return super().__contains__(name)

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


# What people say and what the fields of an event say (ProviderEvent.facts).
NOT_OF_ADAPTERS = {"notes", "disposition", "wrap_up", "offline", "withdraws"} | {
    *("agent", "number", "direction", "leg", "seq", "conversation_seq"),
}


def test_all_that_the_fold_asks_of_an_events_data_is_explained():
    for kinds in combinations(timeline.KINDS, 3):
        for status in timeline.TERMINAL:
            events = [
                timeline.Event(kind, kind, T, "provider:main", Asked(status=status, paired=True))
                for kind in kinds
            ]
            with suppress(ValueError):  # no fact among them
                timeline.fold(events)
    assert {"unsure", "hold", "resumes", "party"} <= Asked.names
    assert Asked.names - NOT_OF_ADAPTERS <= DATA_KEYS


def test_all_that_is_read_of_an_events_data_elsewhere_is_explained():
    """The intake and the comparison with records, by the names in their text."""
    files = [f"calls/telephony/{name}.py" for name in ("intake", "lines", "clicks")]
    files.append("reconciliation/matching/told.py")
    source = "".join((ROOT / file).read_text() for file in files)
    asked = set(re.findall(r"""\.data(?:\.get\(|\[)"(\w+)\"""", source))
    assert {"joined", "provisional"} <= asked
    assert asked - NOT_OF_ADAPTERS <= DATA_KEYS


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


def test_the_message_with_two_sessions_is_two_agents_parts():
    said = json.loads(blocks("json")[0])
    events = make("generic").parse(Payload(json.dumps(said).encode(), T))
    lengths = {call: (state.ring, state.talk) for call, state in states(events).items()}
    assert lengths == {"c-1:801": (9_000, 40_000), "c-1:802": (5_000, 30_000)}
    assert {(event.conversation, event.number) for event in events} == {("c-1", said["number"])}


def test_the_settings_for_telnyx_are_those_that_are_tried():
    assert json.loads(blocks("json")[1]) == test_whose_call.FROM_AND_TO


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The example's adapter and builder, each in a file of its own and found by being there; its
    test file."""
    *sources, test = blocks("python")
    for package, source in zip((calls.providers, calls.simulation), sources, strict=True):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "acme.py").write_text(source)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    adapters.cache_clear()
    builders.cache_clear()
    yield test
    adapters()["acme"].kind = ""  # whoever still holds the class: it is no adapter any more
    for package in (calls.providers, calls.simulation):
        sys.modules.pop(f"{package.__name__}.acme", None)
    adapters.cache_clear()
    builders.cache_clear()


def test_the_worked_example_passes_its_own_tests(example):
    module = types.ModuleType("example_of_a_test_file")
    exec(compile(example, "docs/providers.md", "exec"), vars(module))
    tests = [name for name in vars(module) if name.startswith("test_")]
    assert len(tests) == 2
    for name in tests:
        getattr(module, name)()


def test_the_worked_example_is_under_the_laws(example):
    test_laws.test_every_adapter_with_a_hook_has_a_builder()
    assert "acme" in builders()
    laws = [law for law in vars(test_laws).values() if hasattr(law, "hypothesis")]
    assert len(laws) == 7
    for law in laws:
        law(kind="acme")


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
