from django.contrib.admin import apps as admin

from common.databases.drivers import drivers_hidden


class CallManagerAdminConfig(admin.AdminConfig):
    default_site = "callmanager.admin_site.CallManagerAdminSite"

    def ready(self) -> None:
        with drivers_hidden():  # for fields of PostgreSQL's own, of which we have none
            import rest_framework.compat  # noqa: F401
        super().ready()
