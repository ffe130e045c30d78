"""Programs that start and end calls over keep-alive connections, as fast as they are answered."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor


class Client:
    """One desktop program with its key and its connection."""

    def __init__(self, port: int, key: str):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def post(self, path: str, **body: str) -> dict[str, str]:
        self._connection.request("POST", path, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path} answered {answer.status}: {content!r}")
        said: dict[str, str] = json.loads(content)
        return said

    def start(self) -> str:
        return self.post("/api/calls/start", contact_phone="+50622223333")["call_id"]

    def end(self, call_id: str) -> None:
        self.post("/api/calls/end", call_id=call_id)

    def pairs_until(self, deadline: float) -> int:
        done = 0
        while time.perf_counter() < deadline:
            self.end(self.start())
            done += 1
        return done


def pairs(clients: list[Client], seconds: float) -> float:
    """Calls started and ended by all of `clients` at once, a second."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        done: int = sum(pool.map(lambda client: client.pairs_until(begun + seconds), clients))
    return done / (time.perf_counter() - begun)
