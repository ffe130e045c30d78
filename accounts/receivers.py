"""Receivers of the accounts app; listed in docs/architecture.md."""

from typing import Any

from django.apps import AppConfig, apps


def lay_roles(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Lays the roles table on Django's groups once the last app has its permissions."""
    if app_config.label == list(apps.get_app_configs())[-1].label:
        from accounts.services import sync_roles

        sync_roles(using)
