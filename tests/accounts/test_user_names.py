"""Capitals in a user name do not matter: signing in, filters, commands; and nobody is twice."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts import roles
from accounts.models import ApiKey, User
from calls.models import ProviderAccount, ProviderIdentity
from tests.support.api import Api
from tests.support.people import HASHED, PASSWORD, make_call, make_user

pytestmark = pytest.mark.engines

OTHERWISE = ["iñaki.ávila", "IÑAKI.ÁVILA", "In\u0303aki.Ávila"]


@pytest.fixture
def inaki(db) -> User:
    return make_user("Iñaki.Ávila", roles.AGENT)


@pytest.mark.parametrize("username", OTHERWISE)
def test_signing_in(inaki, client, username):
    sent = {"username": username, "password": PASSWORD}
    assert client.post("/sign-in/" if False else "/login/", sent).status_code in (302, 404)
    assert client.login(username=username, password=PASSWORD)


@pytest.mark.parametrize("username", OTHERWISE)
def test_filters(inaki, people, username):
    call = make_call(inaki)
    make_call(people.alice)
    for parameter in ("user_id", "agent"):
        rows = Api(people.ada).get("calls/log", **{parameter: username}).json()
        assert [row["call_id"] for row in rows] == [str(call.call_id)]
    client = Client()
    client.force_login(people.ada)
    page = client.get("/calls/", {"agent": username})
    assert page.context["calls"] == [call]
    assert '<option value="Iñaki.Ávila" selected>' in page.content.decode()


def test_commands(inaki):
    out = io.StringIO()
    call_command("create_api_key", "IÑAKI.ávila", stdout=out)
    assert ApiKey.objects.get().owner == inaki
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    call_command("provider_account", "map", "pbx", "801", "iñaki.ÁVILA", stdout=out)
    assert ProviderIdentity.objects.get(account=account).user == inaki
    with pytest.raises(CommandError):
        call_command("provider_account", "map", "pbx", "801", "inaki", stdout=out)


@pytest.mark.parametrize("username", OTHERWISE)
def test_nobody_else_can_be_called_so(inaki, people, username):
    client = Client()
    client.force_login(people.ada)
    fields = {
        "username": username,
        "first_name": "Otra",
        "usable_password": "true",
        "password1": "una clave larga 1",
        "password2": "una clave larga 1",
    }
    response = client.post("/admin/accounts/user/add/", fields)
    assert response.status_code == 200
    said = response.context["adminform"].form.errors["username"]
    assert [line for line in said if "Ya existe" in line] == [said[-1]]
    change = {"username": username, "language": ""}
    url = f"/admin/accounts/user/{people.bob.pk}/change/"
    assert "username" in client.post(url, change).context["adminform"].form.errors
    with pytest.raises(IntegrityError):
        User.objects.create(username=username, password=HASHED)


def test_a_name_may_change_its_own_capitals(inaki):
    inaki.username = "iñaki.ávila"
    inaki.full_clean()
    inaki.save()
    assert User.objects.named("IÑAKI.ÁVILA") == inaki
    inaki.username = "otro"
    inaki.save(update_fields=["username"])
    assert User.objects.named("OTRO") == inaki
    assert User.objects.named("iñaki.ávila") is None


@pytest.mark.django_db(transaction=True)
def test_those_who_were_two_before_stay_two():
    """What the migration does with names that differ in capitals only."""
    before, after = ("accounts", "0002_keys_and_notifications"), ("accounts", "0003_names_in_order")
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    try:
        executor.migrate([before])
        old = executor.loader.project_state([before]).apps.get_model("accounts", "User")
        for username in ("MARTA", "Marta", "marta", "Óscar"):
            old.objects.create(username=username, password=HASHED)
        executor = MigrationExecutor(connection)
        executor.migrate([after])
    finally:
        MigrationExecutor(connection).migrate(leaves)
    for username in ("MARTA", "Marta", "marta", "Óscar"):
        person = User.objects.named(username)
        assert person is not None and person.username == username
        person.full_clean()
        person.save()
    found = User.objects.named("mArTa")
    assert found is not None and found.username == "marta"
    found = User.objects.named("óscar")
    assert found is not None and found.username == "Óscar"
    assert not User.objects.filter(username_key="").exists()
