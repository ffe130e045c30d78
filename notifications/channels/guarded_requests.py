"""The library `requests`, for other libraries that use it, with the rules of our own requests.

`GUARDED` stands in for the module in theirs. Every request, and every redirect that is followed,
goes through `common.outgoing_http`, so it is bound by its addresses, its deadline and its limit.
"""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter

from common import outgoing_http
from common.outgoing_http import Answer, Fault

_SECONDS: Final = 10
# How each exchange of a block of `noting` ended.
_noted: ContextVar[list[Answer | Fault] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[Answer | Fault]]:
    """A list that fills with how each exchange within the block ends: libraries tell too little."""
    ends: list[Answer | Fault] = []
    token = _noted.set(ends)
    try:
        yield ends
    finally:
        _noted.reset(token)


class _Adapter(BaseAdapter):
    def send(self, request: Any, *_args: Any, **_kwargs: Any) -> requests.Response:
        """Certificates are checked and time limits are ours, whatever was asked for."""
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        ends = _noted.get()
        try:
            answer = outgoing_http.request(
                request.method, request.url, bytes(body), request.headers, seconds=_SECONDS
            )
        except Fault as fault:
            if ends is not None:
                ends.append(fault)
            raise requests.ConnectionError(str(fault), request=request) from fault
        if ends is not None:
            ends.append(answer)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is kept open."""


def _response(request: Any, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response._content = answer.body
    response._content_consumed = True
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.request, response.url = request, request.url
    return response


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no proxies, and no passwords of ~/.netrc
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())


def _request(method: str, url: str, **kwargs: Any) -> requests.Response:
    with _Session() as session:
        return session.request(method, url, **kwargs)


def _made() -> types.ModuleType:
    module = types.ModuleType("requests")
    module.__dict__.update(
        {name: value for name, value in vars(requests).items() if not name.startswith("__")}
    )
    for verb in ("get", "post", "put", "patch", "delete", "head", "options"):
        setattr(module, verb, lambda url, *, _verb=verb, **kwargs: _request(_verb, url, **kwargs))
    module.request = _request  # type: ignore[attr-defined]
    module.Session = module.session = _Session  # type: ignore[attr-defined]
    return module


GUARDED: Final = _made()
