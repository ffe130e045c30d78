"""Receivers of the notifications app; listed in docs/architecture.md."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from calls.models import CallDispute
from calls.signals import dispute_decided, dispute_opened
from notifications.bell import disputes
from notifications.models import Rule, WebhookEndpoint
from notifications.rules import installation, standard
from notifications.schedules import sending
from notifications.webhooks.signals import endpoint_switched_off, endpoint_switched_on
from upkeep import signals


def connect() -> None:
    """Connects every receiver, once."""
    post_migrate.connect(lay_rules, dispatch_uid="notifications.lay_rules")
    signals.job_failed.connect(raise_job_failed, dispatch_uid="notifications.raise_job_failed")
    signals.job_recovered.connect(end_job_failed, dispatch_uid="notifications.end_job_failed")
    signals.backup_failed.connect(
        raise_backup_failed, dispatch_uid="notifications.raise_backup_failed"
    )
    signals.backup_made.connect(end_backup_failed, dispatch_uid="notifications.end_backup_failed")
    signals.personal_data_removed.connect(
        forget_asked_reports, dispatch_uid="notifications.forget_asked_reports"
    )
    endpoint_switched_off.connect(raise_webhook_off, dispatch_uid="notifications.raise_webhook_off")
    dispute_opened.connect(raise_dispute_opened, dispatch_uid="notifications.raise_dispute_opened")
    dispute_decided.connect(
        raise_dispute_decided, dispatch_uid="notifications.raise_dispute_decided"
    )
    endpoint_switched_on.connect(end_webhook_off, dispatch_uid="notifications.end_webhook_off")


def lay_rules(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Makes the standard rules that are missing, where there is a table for them: other apps may
    be migrated before this one, or back behind it."""
    if app_config.label != "notifications":
        return
    if Rule._meta.db_table in connections[using].introspection.table_names():
        standard.lay(using)


def raise_job_failed(name: str, failures: int, **kwargs: Any) -> None:
    installation.job_failed(name, failures)


def end_job_failed(name: str, **kwargs: Any) -> None:
    installation.job_recovered(name)


def raise_backup_failed(**kwargs: Any) -> None:
    installation.backup_failed()


def end_backup_failed(**kwargs: Any) -> None:
    installation.backup_made()


def forget_asked_reports(lines: set[str], contacts: set[int], **kwargs: Any) -> None:
    sending.forget(lines, contacts)


def raise_dispute_opened(dispute: CallDispute, **kwargs: Any) -> None:
    disputes.opened(dispute)


def raise_dispute_decided(dispute: CallDispute, **kwargs: Any) -> None:
    disputes.decided(dispute)


def raise_webhook_off(endpoint: WebhookEndpoint, **kwargs: Any) -> None:
    installation.webhook_off(endpoint.name)


def end_webhook_off(endpoint: WebhookEndpoint, **kwargs: Any) -> None:
    installation.webhook_on(endpoint.name)
