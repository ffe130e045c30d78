"""The first system's desktop program, as the server sees it: the questions of its windows, put with
the libraries it was written with, and what the windows make of the answers."""

import queue
from datetime import datetime
from typing import Any

import requests
import socketio

from tests.support.patience import PATIENCE
from tests.support.server import Server


class Windows:
    """The windows of one person: each method asks as a window does and shows what it would show.

    None of them looks whether a value is there before it cuts, divides or formats it.
    """

    def __init__(self, server: Server, key: str):
        self.url, self.key = server.url, key

    def ask(self, address: str, **headers: str) -> requests.Response:
        return requests.get(
            self.url + address, headers=headers or {"X-API-Key": self.key}, timeout=PATIENCE
        )

    def _got(self, address: str, **headers: str) -> Any:
        answer = self.ask(address, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def own_cards(self) -> list[str]:
        said = self._got("/metrics/personal", Authorization=f"Bearer {self.key}")
        minutes, seconds = divmod(said["avg_call_duration"], 60)
        per_day = said["calls_made"] // 30
        return [
            f"{said['username']} ({said['role']}) {said['user_id'][:8]}",
            f"{said['calls_made']} = {said['calls_success']} + {said['calls_failed']}, {per_day}/d",
            f"{said['success_rate']:.1f}% {minutes:02d}:{seconds:02d}",
            f"{said['contacts_managed'] + 0} contacts",
        ]

    def team_table(self) -> list[str]:
        team = self._got("/metrics/team", Authorization=f"Bearer {self.key}")
        lines = [
            f"{one['username'][:20]} {one['role']} {one['team_name'][:20]} {one['calls_made']} "
            f"{one['calls_success']} {one['success_rate']:.1f}% {one['avg_call_duration']}s"
            for one in team
        ]
        total = sum(one["calls_made"] for one in team)
        managed = sum(one["contacts_managed"] for one in team)
        return [*lines, f"{len(team)} people, {total} calls, {managed} contacts"]

    def overview(self) -> dict[str, Any]:
        said = self._got("/metrics/all", Authorization=f"Bearer {self.key}")
        return {
            "calls": f"{said['total_calls']} {said['total_success']}",
            "rate": f"{said['overall_success_rate']:.1f}%",
            "people": f"{said['total_users']} with {said['total_contacts']}",
            "teams": {
                name[:8]: (team["calls_made"], team["calls_success"], team["agents"])
                for name, team in said["by_team"].items()
            },
            "team_users": [one["username"] for one in said["team_users"]],
        }

    def call_table(self) -> list[tuple[str, ...]]:
        lines = []
        for call in self._got("/api/calls/log?limit=100"):
            minutes, seconds = divmod(call["duration_seconds"], 60)
            begun = datetime.fromisoformat(call["start_time"])
            assert begun.tzinfo is not None
            lines.append(
                (
                    call["user_id"][:8],
                    call["contact_id"][:20],
                    "tel " + call["contact_phone"],
                    f"{minutes:02d}:{seconds:02d}",
                    call["status"],
                )
            )
        return lines

    def contact_cards(self) -> dict[str, str]:
        kept = {contact["id"]: contact for contact in self._got("/contacts")}
        return {key[:20]: card_of(contact) for key, contact in kept.items()}


def card_of(contact: dict[str, Any]) -> str:
    note = contact["note"][:60]
    return f"{contact['name']} {contact['phone']} {contact['status'].lower()} {note}".strip()


class Feed:
    """The program's Socket.IO line, and what it has heard."""

    def __init__(self, server: Server, query: str = "", **options: Any):
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        for name in ("call_ended", "contact_updated", "contact_deleted", "error", "disconnect"):
            self.client.on(name, self._hears(name))
        self.client.connect(server.url + query, wait_timeout=PATIENCE, **options)

    def _hears(self, name: str) -> Any:
        return lambda *said: self.heard.put((name, *said))

    def next(self) -> tuple[str, Any]:
        return self.heard.get(timeout=PATIENCE)

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        """Hangs up as a window that is closed: to say goodbye, a client that polls waits for its
        last question to be answered."""
        self.client.eio.disconnect(abort=True)
