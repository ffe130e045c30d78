from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from accounts.receivers import lay_roles

        post_migrate.connect(lay_roles, dispatch_uid="accounts.lay_roles")
