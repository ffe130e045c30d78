from django.apps import AppConfig
from django.contrib.admin import apps as admin

from common.databases.drivers import drivers_hidden


class CallManagerAdminConfig(admin.AdminConfig):
    default_site = "callmanager.admin_site.CallManagerAdminSite"

    def ready(self) -> None:
        with drivers_hidden():  # for fields of PostgreSQL's own, of which we have none
            import rest_framework.compat  # noqa: F401
        super().ready()


class CallManagerConfig(AppConfig):
    """The roof as an app: it has commands, and no models."""

    name = "callmanager"
