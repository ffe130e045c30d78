"""A program that talks to the API in process, as a desktop client would."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.support.people import key_of


class Api:
    """Requests of one person's program, or of nobody's."""

    def __init__(self, user: User | None = None, key: str = ""):
        self.client = Client()
        self.headers = {"Accept-Language": "en"}
        if user is not None or key:
            self.headers["X-API-Key"] = key or key_of(user)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(f"/api/{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> HttpResponse:
        return self.send("post", path, {} if body is None else body, **kwargs)

    def send(
        self, method: str, path: str, body: Any, content_type: str = "application/json"
    ) -> HttpResponse:
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(
            method.upper(), f"/api/{path}", raw, content_type, headers=self.headers
        )


def error_of(response: HttpResponse, status: int, field: str = "") -> str:
    """The sentence of an error answer, after checking its shape."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert isinstance(body["error"], str) and body["error"]
    if field:
        assert list(body["fields"]) == [field]
        assert all(isinstance(line, str) and line for line in body["fields"][field])
    return body["error"]
