"""A short visit to an event socket: get in, ask, leave."""

from calls.providers import visit
from calls.providers.base import Unreachable
from calls.providers.freeswitch.event_socket.esl import encode
from calls.providers.freeswitch.event_socket.where import Where
from calls.providers.lasting import Garbled

_ANSWERS = ("api/response", "command/reply")


class Visit(visit.Visit):
    """A connection without events. Unreachable if anything fails."""

    _where: Where

    def ask(self, command: str, fields: dict[str, str] | None = None) -> str:
        """What FreeSWITCH answers. Unreachable if it says no."""
        self._send(encode(command, fields))
        answer = self._next()
        while answer.kind not in _ANSWERS:
            answer = self._next()
        if answer.answer.startswith(("-ERR", "-USAGE")):
            raise Unreachable(f"FreeSWITCH refused: {answer.answer.strip()[:100]}")
        return str(answer.answer.strip())

    def _enter(self, secret: str) -> None:
        steps = self._where.enter(secret)
        next(steps)
        while True:
            message = self._next()
            try:
                self._send(steps.send(message))
            except StopIteration:
                return
            except Garbled as error:
                self._socket.close()
                raise Unreachable(str(error)) from None
