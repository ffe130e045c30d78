"""Receivers of the calls app; listed in docs/architecture.md."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from calls.models import fulltext


def connect() -> None:
    """Connects every receiver, once."""
    pre_migrate.connect(let_words_rest, dispatch_uid="calls.let_words_rest")
    post_migrate.connect(keep_words, dispatch_uid="calls.keep_words")


def let_words_rest(app_config: AppConfig, using: str, plan: Any, **kwargs: Any) -> None:
    """Takes the triggers of the words away while migrations change the calls' tables."""
    if app_config.label == "calls" and any(step.app_label == "calls" for step, _back in plan):
        fulltext.unwatch(connections[using])


def keep_words(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Lays the triggers again, and fills the index anew, where they are missing."""
    if app_config.label == "calls":
        fulltext.watch(connections[using])
