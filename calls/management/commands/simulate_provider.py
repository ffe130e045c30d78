import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import ProviderAccount
from calls.simulation.delivery import Unsent
from calls.simulation.play import Outcome, Play, kinds, play
from calls.simulation.verdicts import EXACT, Verdict, expected, recorded

_ALL_SHOWN = 50
_HEAD = f"{'call':<16} {'status':<10} {'ring':>5} {'hold':>5} {'talk':>5} {'whole':>6}"


class Command(BaseCommand):
    help = (
        "Plays lifelike calls as a phone system tells them, signed and over HTTP (or as an "
        "Asterisk on the loopback), and prints what was sent and what was recorded. "
        "The calls, their people and a temporary account are removed afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=kinds())
        parser.add_argument("--account", metavar="NAME", help="Without it, a temporary one.")
        parser.add_argument("--calls", type=int, default=20, metavar="N")
        parser.add_argument(
            "--chaos", action="store_true", help="Messages come twice, late, and in any order."
        )
        parser.add_argument(
            "--losses", type=float, default=0.0, metavar="PERCENT", help="Messages that never come."
        )
        parser.add_argument("--seed", type=int, default=1, metavar="N")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="Where the site listens")
        parser.add_argument(
            "--speed", type=float, default=0.0, metavar="X", help="X times as fast as in life."
        )

    def handle(
        self,
        *args: Any,
        kind: str,
        account: str | None,
        calls: int,
        chaos: bool,
        losses: float,
        seed: int,
        url: str,
        speed: float,
        **options: Any,
    ) -> None:
        if not 0 < calls <= 10_000:
            raise CommandError("Between 1 and 10000 calls, please.")
        if not 0 <= losses <= 100:
            raise CommandError("Losses are a percentage: 0 to 100.")
        what = Play(kind, calls, account, chaos, losses / 100, seed, url, max(0.0, speed))
        try:
            outcome = play(what)
        except Unsent as error:
            raise CommandError(f"The site does not answer: {error}") from error
        except ProviderAccount.DoesNotExist:
            raise CommandError(f"There is no account {account} to play {kind} on.") from None
        self._tell(what, outcome)
        if not outcome.is_sound:
            sys.exit(1)

    def _tell(self, what: Play, outcome: Outcome) -> None:
        made = "" if what.account else ", a temporary account with people of its own"
        self.stdout.write(f"{what.kind} on {outcome.account}{made}")
        shown = outcome.verdicts
        if len(shown) > _ALL_SHOWN:
            shown = [one for one in shown if one.said != EXACT]
            self.stdout.write(f"Of {len(outcome.verdicts)} calls, those that are not exact:")
        self.stdout.write(f"{_HEAD}   |  recorded")
        for verdict in shown:
            self.stdout.write(_line(verdict))
        self.stdout.write(_totals(outcome))


def _line(verdict: Verdict) -> str:
    record = _cells(recorded(verdict.calls[0])) if verdict.calls else "nothing"
    said = f"{verdict.said} {verdict.marks}".strip()
    name = verdict.reported.call_id.removeprefix("sim-")
    return f"{name:<16} {_cells(expected(verdict.reported))}   |  {record}   {said}"


def _cells(facts: dict[str, Any]) -> str:
    shown = {name: "-" if value is None else value for name, value in facts.items()}
    return (
        f"{shown['status']:<10.10} {shown['ring']:>5} {shown['hold']:>5} {shown['talk']:>5} "
        f"{shown['duration']:>6}"
    )


def _totals(outcome: Outcome) -> str:
    counts = outcome.counts
    verdicts = ", ".join(f"{said} {number}" for said, number in counts.items())
    lines = [
        f"{len(outcome.verdicts)} calls: {outcome.exact_percent:.2f} % exact ({verdicts}, "
        f"strangers {outcome.strangers})",
        f"{outcome.sent} messages, {outcome.doubled} of them again, {outcome.lost} lost, "
        f"{outcome.answers.refused} refused, in {outcome.seconds:.1f} s",
    ]
    if outcome.answers.milliseconds:
        half, most = outcome.answers.percentile(0.5), outcome.answers.percentile(0.99)
        lines.append(f"the hook answered within {half:.0f} ms (median), {most:.0f} ms (99 %)")
    return "\n".join(lines)
