"""People, teams and keys in the administration: useful lists, and no way to climb."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts import roles
from accounts.models import ApiKey, Team, User
from tests.support.api import Api
from tests.support.people import PASSWORD, make_call, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def admin(people) -> Client:
    """Ada's browser: an administrator by role, no superuser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(people.ada)
    return client


@pytest.fixture
def root(people) -> User:
    user = make_user("root", roles.ADMIN)
    user.is_superuser = True
    user.save()
    return user


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def person_data(user: User, **changes) -> dict:
    data = {
        "username": user.username,
        "first_name": user.first_name,
        "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        "team": user.team_id or "",
        "extension": user.extension,
    }
    return {name: value for name, value in (data | changes).items() if value is not None}


def save(client: Client, user: User, **changes):
    return client.post(f"/admin/accounts/user/{user.pk}/change/", person_data(user, **changes))


def errors_of(response) -> str:
    assert response.status_code == 200
    return " ".join(re.findall(r"errorlist[^>]*>(.*?)</ul>", response.content.decode(), re.S))


def messages_of(response) -> str:
    assert response.status_code == 200
    return " ".join(re.findall(r'messagelist">(.*?)</ul>', response.content.decode(), re.S))


def test_an_administrator_adds_a_person_who_can_sign_in(admin, people):
    answer = admin.post(
        "/admin/accounts/user/add/",
        {
            "username": "nora",
            "first_name": "Nora",
            "groups": [role(roles.AGENT)],
            "team": people.red.pk,
            "extension": "1042",
            "language": "es",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    assert answer.status_code == 302
    nora = User.objects.get(username="nora")
    assert (nora.team, nora.extension, nora.language) == (people.red, "1042", "es")
    assert nora.has_perm(roles.TRACK_CALLS) and not nora.has_perm(roles.USE_ADMIN)
    assert Client().login(username="nora", password=PASSWORD)


def test_an_administrator_changes_role_and_team(admin, people):
    assert save(admin, people.bob, groups=[role(roles.SUPERVISOR)], team="").status_code == 302
    bob = User.objects.get(pk=people.bob.pk)
    assert bob.team is None and bob.has_perm(roles.VIEW_TEAM_CALLS)


def test_an_extension_belongs_to_one_person(admin, people):
    save(admin, people.alice, extension="1001")
    assert "belongs to alice" in errors_of(save(admin, people.bob, extension="1001"))
    assert "belongs to alice" in errors_of(save(admin, people.bob, extension="\u200e1001\u200b"))


# --- No way to climb ---------------------------------------------------------------------------
def test_an_administrator_makes_nobody_a_superuser(admin, people):
    answer = save(
        admin,
        people.bob,
        is_superuser="on",
        is_staff="on",
        user_permissions=[Permission.objects.get(codename="add_group").pk],
    )
    assert answer.status_code == 302
    bob = User.objects.get(pk=people.bob.pk)
    assert (bob.is_superuser, bob.is_staff) == (False, False)
    assert not bob.user_permissions.exists()


def test_a_superuser_makes_a_superuser(people, root):
    client = Client()
    client.force_login(root)
    assert save(client, people.bob, is_superuser="on").status_code == 302
    assert User.objects.get(pk=people.bob.pk).is_superuser


@pytest.mark.parametrize("active", [True, False])
def test_an_administrator_touches_no_superuser_active_or_not(admin, root, active):
    User.objects.filter(pk=root.pk).update(is_active=active)
    new = {
        "usable_password": "true",
        "password1": "fresh long words",
        "password2": "fresh long words",
    }
    assert admin.get(f"/admin/accounts/user/{root.pk}/change/").status_code == 200
    assert save(admin, root, username="mine").status_code == 403
    assert admin.post(f"/admin/accounts/user/{root.pk}/password/", new).status_code == 403
    assert admin.post(f"/admin/accounts/user/{root.pk}/delete/", {"post": "yes"}).status_code == 403
    act(admin, "activate", root)
    act(admin, "deactivate", root)
    unchanged = User.objects.get(pk=root.pk)
    assert (unchanged.username, unchanged.is_active) == ("root", active)
    assert unchanged.check_password(PASSWORD)


def test_nobody_gives_a_role_with_rights_beyond_the_own(admin, people):
    owners = Group.objects.create(name="Owners")
    owners.permissions.add(Permission.objects.get(codename="delete_group"))
    answer = save(admin, people.bob, groups=[role(roles.AGENT), owners.pk])
    assert "not one of the available choices" in errors_of(answer)
    people.carol.groups.add(owners)
    assert save(admin, people.carol, groups=[role(roles.AGENT)]).status_code == 403
    people.bob.user_permissions.add(Permission.objects.get(codename="delete_group"))
    assert save(admin, people.bob, first_name="X").status_code == 403


def test_nobody_changes_the_own_rights(admin, people):
    answer = save(
        admin, people.ada, groups=[role(roles.AGENT)], is_active=None, first_name="Ada L."
    )
    assert answer.status_code == 302
    ada = User.objects.get(pk=people.ada.pk)
    assert ada.first_name == "Ada L." and ada.is_active and ada.has_perm(roles.USE_ADMIN)
    act(admin, "deactivate", people.ada)
    assert User.objects.get(pk=people.ada.pk).is_active
    assert admin.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_key_cannot_be_made_for_a_superuser(admin, root):
    answer = admin.post("/admin/accounts/apikey/add/", {"owner": root.pk, "name": "x"})
    assert "not one of the available choices" in errors_of(answer)
    assert not ApiKey.objects.exists()


def test_roles_are_not_edited_here(admin, root):
    client = Client()
    client.force_login(root)
    assert client.get("/admin/auth/group/").status_code == 404


# --- Leaving -----------------------------------------------------------------------------------
def act(client: Client, action: str, *users: User):
    data = {"action": action, "_selected_action": [user.pk for user in users]}
    return client.post("/admin/accounts/user/", data, follow=True)


def test_a_person_with_calls_is_deactivated_instead_of_deleted(admin, people):
    make_call(people.alice)
    answer = admin.get(f"/admin/accounts/user/{people.alice.pk}/delete/", follow=True)
    assert "Deactivate instead" in messages_of(answer)
    admin.post(f"/admin/accounts/user/{people.alice.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=people.alice.pk).exists()
    assert "1 person changed" in messages_of(act(admin, "deactivate", people.alice))
    assert not User.objects.get(pk=people.alice.pk).is_active
    act(admin, "activate", people.alice)
    assert User.objects.get(pk=people.alice.pk).is_active


def test_a_person_who_only_corrected_calls_stays_too(admin, people):
    from calls import services

    services.add_note(make_call(people.alice), people.sue, "seen")
    answer = admin.get(f"/admin/accounts/user/{people.sue.pk}/delete/", follow=True)
    assert "Deactivate instead" in messages_of(answer)


def test_a_person_without_calls_is_deleted_with_keys_and_sums(admin, people):
    ApiKey.issue(people.bob)
    make_call(people.bob).delete()  # leaves a row of zeros
    url = f"/admin/accounts/user/{people.bob.pk}/delete/"
    assert "Are you sure" in admin.get(url).content.decode()
    assert admin.post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=people.bob.pk).exists()


def test_a_deactivated_persons_key_stops(admin, people):
    key = ApiKey.issue(people.alice)[1]
    assert Api(key=key).get("calls/active").status_code == 200
    act(admin, "deactivate", people.alice)
    assert Api(key=key).get("calls/active").status_code == 401


# --- Teams -------------------------------------------------------------------------------------
def save_team(client: Client, team: Team, **changes):
    data = {"name": team.name, "supervisors": [], "amber_seconds": "", "red_seconds": ""} | changes
    return client.post(f"/admin/accounts/team/{team.pk}/change/", data)


def test_a_team_gets_its_supervisors_and_colours(admin, people):
    answer = save_team(
        admin, people.red, supervisors=[people.sam.pk], amber_seconds="60", red_seconds="90"
    )
    assert answer.status_code == 302
    people.red.refresh_from_db()
    assert (people.red.amber_seconds, people.red.red_seconds) == (60, 90)
    assert list(people.red.supervisors.all()) == [people.sam]


@pytest.mark.parametrize(
    ("amber", "red"), [("90", "60"), ("60", "60"), ("400", ""), ("", "100"), ("0", ""), ("x", "")]
)
def test_red_comes_after_amber(admin, people, settings, amber, red):
    settings.TIMER_AMBER_SECONDS, settings.TIMER_RED_SECONDS = 120, 300
    assert errors_of(save_team(admin, people.red, amber_seconds=amber, red_seconds=red))
    people.red.refresh_from_db()
    assert (people.red.amber_seconds, people.red.red_seconds) == (None, None)


def test_only_who_may_watch_a_team_supervises_one(admin, people):
    assert "not one of the available" in errors_of(
        save_team(admin, people.red, supervisors=[people.bob.pk])
    )


# --- Keys --------------------------------------------------------------------------------------
def test_a_key_is_shown_once_and_works_until_it_is_revoked(admin, people):
    answer = admin.post(
        "/admin/accounts/apikey/add/", {"owner": people.alice.pk, "name": "softphone"}
    )
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    secret = re.search(r"cm_[\w-]{40,}", answer.content.decode())[0]
    key = ApiKey.objects.get()
    assert (key.owner, key.name) == (people.alice, "softphone")
    later = [f"/admin/accounts/apikey/{key.pk}/change/", "/admin/accounts/apikey/", "/admin/"]
    for path in later:
        body = admin.get(path).content.decode()
        assert secret not in body and key.digest not in body
    assert secret not in str(dict(admin.session)) + str(admin.cookies)
    assert Api(key=secret).get("calls/active").status_code == 200

    data = {"action": "revoke", "_selected_action": [key.pk]}
    answer = admin.post("/admin/accounts/apikey/", data, follow=True)
    assert "1 key revoked" in messages_of(answer)
    assert Api(key=secret).get("calls/active").status_code == 401


def test_of_a_key_only_the_name_changes(admin, people):
    key, _secret = ApiKey.issue(people.alice, "old")
    changes = {"name": "new", "owner": people.bob.pk, "digest": "0" * 64, "prefix": "x"}
    url = f"/admin/accounts/apikey/{key.pk}/"
    assert admin.post(f"{url}change/", changes).status_code == 302
    after = ApiKey.objects.get()
    assert (after.name, after.owner, after.digest) == ("new", people.alice, key.digest)
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403


# --- Lists -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("user/?q=alice", {"alice"}),
        ("user/?role=Supervisor", {"sue", "sam"}),
        ("user/?is_active__exact=0", {"bob"}),
        ("team/?q=red", {"Red"}),
        ("apikey/?state=usable", {"carols"}),
        ("apikey/?state=usable&q=alice", set()),
        ("apikey/?state=revoked", {"alices"}),
    ],
)
def test_lists_find(admin, people, path, found):
    people.bob.is_active = False
    people.bob.save()
    ApiKey.issue(people.carol, "carols")
    ApiKey.issue(people.alice, "alices")[0].revoke()
    rows = admin.get(f"/admin/accounts/{path}").context["cl"].result_list
    assert {row.username if isinstance(row, User) else row.name for row in rows} == found


@pytest.mark.parametrize("model", ["user", "team", "apikey"])
def test_a_list_costs_the_same_for_many(admin, people, django_assert_max_num_queries, model):
    def cost() -> int:
        with django_assert_max_num_queries(20) as queries:
            assert admin.get(f"/admin/accounts/{model}/").status_code == 200
        return len(queries)

    ApiKey.issue(people.alice)
    few = cost()
    for number in range(5):
        team = Team.objects.create(name=f"T{number}")
        user = make_user(f"user{number}", roles.SUPERVISOR, team)
        team.supervisors.add(user)
        ApiKey.issue(user)
    assert cost() == few
