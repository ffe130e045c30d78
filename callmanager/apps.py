from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin

from common.databases.drivers import drivers_hidden
from common.private_files import keep_private


class CallManagerAdminConfig(admin.AdminConfig):
    default_site = "callmanager.admin_site.CallManagerAdminSite"

    def ready(self) -> None:
        """Of the web server, the worker and every command."""
        keep_private(settings.DATA_DIR, settings.SQLITE_FILE)
        with drivers_hidden():  # for fields of PostgreSQL's own, of which we have none
            import rest_framework.compat  # noqa: F401
        super().ready()


class CallManagerConfig(AppConfig):
    """The roof as an app: it has commands, and no models."""

    name = "callmanager"
