"""Changes to people and roles, and who may make them."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import PROTECT, ManyToOneRel, Q, QuerySet

from accounts.models import User, UserQuerySet
from accounts.roles import LABELS, ROLES


def sync_roles(using: str = "default") -> None:
    """Makes the groups of the roles table, each with exactly the permissions written there."""
    for app_config in apps.get_app_configs():
        create_permissions(app_config, verbosity=0, using=using)
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for name, permissions in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set([known[permission] for permission in permissions])


def role_names(person: User) -> list[str]:
    """The roles of `person` in the reader's language."""
    return [str(LABELS.get(group.name, group.name)) for group in person.groups.all()]


def rights_beyond(actor: User) -> QuerySet[Permission]:
    """What `actor` may not do, and so may not give away either."""
    own = Permission.objects.filter(Q(group__user=actor) | Q(user=actor))
    return Permission.objects.exclude(pk__in=own.values("pk"))


def grantable_roles(actor: User) -> QuerySet[Group]:
    """The roles that `actor` may give: none with a right that `actor` lacks."""
    if actor.is_superuser:
        return Group.objects.order_by("pk")
    return Group.objects.exclude(permissions__in=rights_beyond(actor)).order_by("pk")


def manageable_by(actor: User) -> UserQuerySet:
    """The people whom `actor` may edit: those who hold no right that `actor` lacks.

    Whether they are active makes no difference: a deactivated superuser must not be brought back,
    with a new password, by anybody less.
    """
    people: UserQuerySet = User.objects.all()
    if actor.is_superuser:
        return people
    beyond = rights_beyond(actor)
    return (
        people.filter(is_superuser=False)
        .exclude(groups__permissions__in=beyond)
        .exclude(user_permissions__in=beyond)
    )


def must_stay(person: User) -> bool:
    """Whether calls or lines of a ledger name `person`, who can then only be deactivated.

    Asked of the models that protect their person; the collector of a deletion would load all rows.
    """
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: person}).exists()
        for relation in User._meta.get_fields(include_hidden=True)
        if isinstance(relation, ManyToOneRel) and relation.on_delete is PROTECT
    )
