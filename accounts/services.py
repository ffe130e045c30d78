"""Changes to people and roles."""

from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.apps import apps

from accounts.roles import ROLES


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
