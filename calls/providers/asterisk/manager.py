"""How to get into a manager interface, and a short visit to one."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from calls.providers.asterisk.ami import Banner, Message, NotAmi, Reader, encode, login_key
from calls.providers.base import Unreachable
from calls.providers.lasting import Refused

PORT, TLS_PORT = 5038, 5039
SYNC = "sync-1"  # marks the question which channels are up
_PATIENCE = 10.0  # seconds for a whole visit


@dataclass(frozen=True)
class Where:
    """A manager interface and who we are there: a calls.providers.lasting.Dialect."""

    system: ClassVar = "Asterisk"
    ping: ClassVar = encode("Ping", {"ActionID": "ping"})
    opening: ClassVar = encode("CoreShowChannels", {"ActionID": SYNC})
    goodbye: ClassVar = encode("Logoff")

    host: str
    port: int
    username: str
    secrets: Sequence[str]
    tls: bool = False
    tls_ca: str = ""  # a file with the certificate that signs Asterisk's own; "": the system's

    @classmethod
    def of_account(cls, settings: Mapping[str, Any], secrets: Sequence[str]) -> "Where":
        """From an account's settings. Unreachable if something is missing or is no port."""
        host, username = str(settings.get("host") or ""), str(settings.get("username") or "")
        if not host or not username or not secrets:
            raise Unreachable("Set the account's host, username and secret first.")
        tls = is_on(settings.get("tls"))
        try:
            port = int(settings.get("port") or (TLS_PORT if tls else PORT))
            if not 0 < port < 65536:
                raise ValueError(port)
        except (TypeError, ValueError):
            raise Unreachable("The account's port is not a port.") from None
        return cls(host, port, username, secrets, tls, str(settings.get("tls_ca") or ""))

    def tls_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.tls_ca or None) if self.tls else None

    def cutter(self) -> Reader:
        return Reader()

    def log_in(self, secret: str) -> Generator[bytes, Message, None]:
        """The steps of getting in, for all events. Events that come meanwhile are no answers."""
        if not isinstance((yield b""), Banner):
            raise NotAmi("What answers there is no Asterisk manager.")
        steps = login(self, secret, events=True)
        action = next(steps)
        while True:
            answer = yield action
            while answer.event:
                answer = yield b""
            try:
                action = steps.send(answer)
            except StopIteration:
                return

    def follow_up(self, message: Message) -> bytes:
        return b""

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read what we send."""
        if self.tls or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def is_on(value: Any) -> bool:
    return str(value or "").strip().lower() in ("1", "true", "yes", "on")


def login(where: Where, secret: str, *, events: bool) -> Generator[bytes, Message, None]:
    """The steps of logging in: send each action that it yields, and send it the response.

    By challenge; where Asterisk has none, with the secret itself if nobody on the way can read it.
    Refused if Asterisk does not accept it.
    """
    challenge = yield encode("Challenge", {"ActionID": "login-1", "AuthType": "MD5"})
    if challenge.get("Challenge"):
        key = login_key(challenge.get("Challenge"), secret)
        proof = {"AuthType": "MD5", "Key": key}
    elif where.is_private:
        proof = {"Secret": secret}
    else:
        raise Refused("Asterisk offers no challenge, and without TLS the secret is not sent.")
    fields = {"ActionID": "login-2", "Username": where.username, **proof}
    answer = yield encode("Login", fields | {"Events": "on" if events else "off"})
    if answer.get("Response") != "Success":
        raise Refused(answer.get("Message") or "The login was refused.")


class Visit:
    """A short connection without events: log in, ask, leave. Unreachable if anything fails."""

    def __init__(self, where: Where):
        self._where = where
        self._waiting: list[Message] = []
        self._reader = Reader()
        self._deadline = time.monotonic() + _PATIENCE

    def __enter__(self) -> "Visit":
        refused = Unreachable("The account has no secret.")
        for secret in self._where.secrets:
            try:
                self._enter(secret)
            except Refused as error:
                refused = Unreachable(f"Asterisk refuses the login: {error}")
                self._socket.close()
            else:
                return self
        raise refused

    def __exit__(self, *_: object) -> None:
        try:
            self._socket.sendall(encode("Logoff"))
        except OSError:
            pass
        finally:
            self._socket.close()

    def ask(self, action: str, fields: dict[str, str]) -> Message:
        """The response to an action. Unreachable if Asterisk says no."""
        fields = {"ActionID": "ask-1"} | fields
        answer = self._ask(encode(action, fields), fields["ActionID"])
        if answer.get("Response") != "Success":
            raise Unreachable(f"Asterisk refused: {answer.get('Message') or 'no reason given'}")
        return answer

    def listed(self, event: str) -> list[Message]:
        """The events of a list that the last action asked for, up to `event`Complete."""
        found = []
        while (message := self._next()).event != f"{event}sComplete":
            if message.event == event:
                found.append(message)
        return found

    def _enter(self, secret: str) -> None:
        self._connect()
        if not isinstance(self._next(), Banner):
            self._socket.close()
            raise Unreachable("What answers there is no Asterisk manager.")
        steps = login(self._where, secret, events=False)
        action = next(steps)
        for number in (1, 2):
            answer = self._ask(action, f"login-{number}")
            try:
                action = steps.send(answer)
            except StopIteration:
                return

    def _connect(self) -> None:
        self._reader, self._waiting = Reader(), []
        where = self._where
        try:
            plain = socket.create_connection((where.host, where.port), timeout=_PATIENCE)
            context = where.tls_context()
            self._socket = (
                context.wrap_socket(plain, server_hostname=where.host) if context else plain
            )
        except OSError as error:
            raise Unreachable(f"Asterisk does not answer at {where.host}: {error}") from error

    def _ask(self, action: bytes, action_id: str) -> Message:
        try:
            self._socket.sendall(action)
        except OSError as error:
            raise Unreachable(f"The connection to Asterisk broke: {error}") from error
        while True:
            message = self._next()
            if "Response" in message and not message.event and message.get("ActionID") == action_id:
                return message

    def _next(self) -> Message:
        while not self._waiting:
            left = self._deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError("no answer in time")
                self._socket.settimeout(left)
                piece = self._socket.recv(65536)
                if not piece:
                    raise ConnectionError("Asterisk hung up")
                self._waiting = self._reader.feed(piece)
            except (OSError, NotAmi) as error:
                self._socket.close()
                raise Unreachable(f"The connection to Asterisk broke: {error}") from error
        return self._waiting.pop(0)
