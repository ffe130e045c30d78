from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = _("Figures")

    def ready(self) -> None:
        from metrics import receivers

        receivers.connect()
