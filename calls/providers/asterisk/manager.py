"""How to get into a manager interface, and a short visit to one."""

import ipaddress
import ssl
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from calls.providers import visit
from calls.providers.asterisk.ami import Banner, Message, NotAmi, Reader, encode, login_key
from calls.providers.base import Unreachable
from calls.providers.lasting import Refused

PORT, TLS_PORT = 5038, 5039
SYNC = "sync-1"  # marks the question which channels are up


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


class Visit(visit.Visit):
    """A short connection without events: log in, ask, leave. Unreachable if anything fails."""

    _where: Where

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
            except Refused as error:
                raise Refused(f"Asterisk refuses the login: {error}") from None

    def _ask(self, action: bytes, action_id: str) -> Message:
        self._send(action)
        while True:
            message: Message = self._next()
            if "Response" in message and not message.event and message.get("ActionID") == action_id:
                return message
