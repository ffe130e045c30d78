"""How people call: links of every kind, templates of one's own, and who uses which."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from calls.models import (
    DialChoice,
    DialLink,
    ProviderAccount,
    ProviderIdentity,
    dial_links,
    name_at,
)
from calls.models.dial_links import KINDS, fault, link

pytestmark = pytest.mark.once

NUMBER = "+34600000001"


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("tel", "tel:+34600000001"),
        ("callto", "callto:+34600000001"),
        ("sip", "sip:+34600000001"),
        ("zoom", "zoomphonecall://+34600000001"),
        ("teams", "https://teams.microsoft.com/l/call/0/0?users=4:%2B34600000001"),
        ("ringcentral", "rcmobile://call?number=34600000001"),
        ("google_voice", "https://voice.google.com/calls?a=nc,%2B34600000001"),
        ("viber", "viber://keypad?number=34600000001"),
        ("whatsapp", "https://wa.me/34600000001"),
        ("skype", "skype:+34600000001?call"),
    ],
)
def test_every_kind_makes_the_address_its_program_knows(kind, address):
    assert link(KINDS[kind].template, NUMBER) == address


def test_every_kind_has_a_sound_template():
    assert {kind: fault(one.template) for kind, one in KINDS.items() if one.template} == {
        kind: "" for kind, one in KINDS.items() if one.template
    }


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("sip:{number}@pbx.example.com", "sip:+34600000001@pbx.example.com"),
        ("phone:{national}", "phone:600000001"),
        ("http://10.0.0.5/dial?to={number}&from={extension}", "http://10.0.0.5/dial?to=%2B34600000001&from=10%2F01%20b"),
        ("app://{extension}/{digits}#{number}", "app://10%2F01%20b/34600000001#+34600000001"),
    ],
)  # fmt: skip
def test_an_administrators_template_is_filled_and_encoded(template, address):
    assert fault(template) == ""
    assert link(template, NUMBER, "10/01 b") == address


def test_the_national_number_is_what_one_dials_within_the_country():
    assert dial_links.national("+442079460000") == "02079460000"
    assert dial_links.national("+50651234567") == "51234567"
    assert link("tel:{national}", "") == ""


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({number})",
        "JavaScript:alert({number})",
        "java\nscript:alert({number})",
        "\x01javascript:alert({number})",
        " javascript:alert({number})",
        "java\tscript:{digits}",
        "data:text/html,{number}",
        "VBScript:{number}",
        "view-source:https://example.com/{number}",
        "blob:{number}",
        "file:///{number}",
        "{number}",
        "{digits}:call",
        "//example.com/{number}",
        "/logout/?{number}",
        "tel:",
        "tel:123",
        "tel:{extension}",
        "tel:{number}{secret}",
        "tel:{number",
        "tel:{{number}}",
        'tel:{number}"onclick="x',
        "tel:{number} x",
        "https://{digits}.example.com/",
        "https://user@example.com/{number}",
        "https:///{number}",
        "https:{number}",
        "http://[broken/{number}",
        "",
    ],
)
def test_what_does_not_call_or_could_run_a_script_is_refused_in_words(template):
    assert fault(template)


def test_a_link_is_checked_when_it_is_written(db):
    with pytest.raises(ValidationError) as refused:
        DialLink(kind="template", template="javascript:{number}").full_clean()
    assert set(refused.value.message_dict) == {"template"}
    with pytest.raises(ValidationError):
        DialLink(kind="template").full_clean()
    with pytest.raises(ValidationError):
        DialLink(kind="server").full_clean()


def test_what_a_link_does_is_said_honestly(db):
    with translation.override("en"):
        check_what_is_said()


def check_what_is_said():
    says = {kind: DialLink(kind=kind).says for kind in KINDS if kind != "server"}
    assert "does not call" in says["whatsapp"] and "does not call" in says["viber"]
    assert "Teams Phone plan" in says["teams"]
    assert says["google_voice"] == "Google Voice rings you first, then the number."
    assert says["zoom"] == "Opens Zoom Phone, which calls the number."
    own = DialLink(kind="template", name="Kiosk", template="kiosk:{digits}", effect="opens")
    assert own.says == "Only opens Kiosk: you call there."


# --- Who uses which ------------------------------------------------------------------------------


def made(kind, **fields):
    return DialLink.objects.filter(kind=kind).first() or DialLink.objects.create(
        kind=kind, **fields
    )


def kind_of(user):
    return DialLink.objects.of(user).kind


def test_the_own_choice_goes_before_the_teams_and_the_teams_before_the_sites(people):
    zoom, teams, whatsapp = made("zoom"), made("teams"), made("whatsapp")
    assert kind_of(people.alice) == "tel"
    zoom.is_default = True
    zoom.save()
    assert DialLink.objects.filter(is_default=True).get() == zoom
    DialChoice.of_teams(teams, [people.red])
    DialChoice.of_user(people.alice, whatsapp)
    found = {who: kind_of(getattr(people, who)) for who in ("alice", "bob", "carol", "sue")}
    assert found == {"alice": "whatsapp", "bob": "teams", "carol": "zoom", "sue": "zoom"}
    DialChoice.of_user(people.alice, None)
    assert kind_of(people.alice) == "teams"


def test_what_is_not_offered_any_more_is_not_used_any_more(people):
    viber = made("viber")
    DialChoice.of_user(people.alice, viber)
    viber.is_offered = False
    viber.save()
    assert kind_of(people.alice) == "tel"


def test_without_any_link_the_phone_program_is_opened(people, django_assert_num_queries):
    DialLink.objects.all().delete()
    with django_assert_num_queries(1):
        assert DialLink.objects.of(people.alice).url_to(NUMBER, people.alice) == "tel:+34600000001"


def test_a_phone_system_that_is_switched_off_dials_no_more(people):
    pbx = ProviderAccount.objects.create(kind="twilio", name="pbx")
    link = DialLink.objects.create(kind="server", account=pbx)
    DialChoice.of_user(people.alice, link)
    assert DialLink.objects.of(people.alice).dials
    pbx.is_active = False
    pbx.save()
    assert kind_of(people.alice) == "tel"


def test_a_phone_is_rung_by_its_extension_and_not_by_a_mail_address(people):
    pbx = ProviderAccount.objects.create(kind="twilio", name="pbx")
    people.alice.extension = "2001"
    assert name_at(pbx, people.alice) == "2001"
    ProviderIdentity.objects.create(identity="1001", user=people.alice)
    ProviderIdentity.objects.create(account=pbx, identity="alice@example.test", user=people.alice)
    assert name_at(pbx, people.alice) == "alice@example.test"
    ProviderIdentity.objects.create(account=pbx, identity="client:alice", user=people.alice)
    assert name_at(pbx, people.alice) == "client:alice"
    assert name_at(pbx, people.bob) == ""


# --- Pages ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(people, client) -> Client:
    from calls.models import Contact

    Contact.objects.create(name="Ana", phone=NUMBER)
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_a_person_chooses_and_the_desk_opens_that_link(people, desk):
    whatsapp = made("whatsapp")
    assert f'data-dial="tel:{NUMBER}"' in desk.get("/").content.decode()
    page = desk.post("/me/dialing/", {"link": whatsapp.pk}, follow=True).content.decode()
    assert "You call with WhatsApp now." in page
    page = desk.get("/").content.decode()
    assert 'data-dial="https://wa.me/34600000001"' in page
    assert "does not call: press the phone there" in page
    desk.post("/calls/start/", {"phone": NUMBER})
    assert "press Answered" in desk.get("/").content.decode()
    desk.post("/me/dialing/", {"link": ""})
    assert kind_of(people.alice) == "tel"


@pytest.mark.parametrize("given", ["0", "x", "999999", "\x00", "1e3"])
def test_what_is_not_offered_cannot_be_chosen(people, desk, given):
    page = desk.post("/me/dialing/", {"link": given}, follow=True)
    assert "not offered any more" in page.content.decode()
    skype = made("skype", is_offered=False)
    desk.post("/me/dialing/", {"link": skype.pk})
    assert not DialChoice.objects.exists()


def test_the_administrator_writes_a_link_and_gives_it_to_a_team(people, client):
    client.force_login(people.ada)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    sent = {
        "kind": "template",
        "name": "Kiosk",
        "template": "javascript:{number}",
        "effect": "opens",
        "account": "",
        "position": "5",
        "is_default": "on",
        "teams": [people.red.pk],
    }
    page = client.post("/admin/calls/diallink/add/", sent)
    assert "does not call" in page.content.decode()
    sent["template"] = "kiosk:{digits}"
    assert client.post("/admin/calls/diallink/add/", sent).status_code == 302
    link = DialLink.objects.get(kind="template")
    assert (DialLink.objects.of(people.bob), DialLink.objects.of(people.carol)) == (link, link)
    sent["is_default"] = ""
    sent["teams"] = []
    client.post(f"/admin/calls/diallink/{link.pk}/change/", sent)
    assert kind_of(people.bob) == "tel"
    assert client.get("/admin/calls/diallink/").status_code == 200
