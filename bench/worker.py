# ruff: noqa: E402  (Django must be set up before its models are imported)
"""The half of a benchmark that needs Django: reads questions from standard input, answers there."""

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import ApiKey, User
from calls import services


def pairs(seconds: float) -> float:
    """Calls started and ended through the services, a second."""
    agents = list(User.objects.filter(username__startswith="agent").order_by("pk")[:8])
    done = 0
    begun = time.perf_counter()
    while (taken := time.perf_counter() - begun) < seconds:
        agent = agents[done % len(agents)]
        call, _ = services.start_call(agent)
        services.end_call(call.call_id, agent)
        done += 1
    return done / taken


def keys(count: int) -> list[str]:
    """API keys of the first agents."""
    agents = User.objects.filter(username__startswith="agent").order_by("pk")[:count]
    return [ApiKey.issue(agent)[1] for agent in agents]


def cookie(username: str) -> str:
    """A signed-in session's cookie."""
    user = User.objects.get(username=username)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


ANSWERS: dict[str, Any] = {"pairs": pairs, "keys": keys, "cookie": cookie}


def main() -> None:
    for line in sys.stdin:
        question = json.loads(line)
        answer = ANSWERS[question.pop("what")](**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
