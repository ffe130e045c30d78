from typing import Any

class ConnectionRefusedError(Exception):
    def __init__(self, *said: Any) -> None: ...
