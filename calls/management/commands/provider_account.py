from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from calls.models import ProviderAccount, ProviderIdentity
from calls.providers import adapters
from calls.telephony.setup import hook_address, setting_of, setup_lines


class Command(BaseCommand):
    help = "Sets up phone systems: add an account, map an extension to an agent, list, rotate."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="A new account; prints the address of its hook.")
        add.add_argument("kind", choices=list(adapters()))
        add.add_argument("name", help="Small letters, digits, - and _")
        add.add_argument("--secret", action="append", default=[], help="VALUE or NAME=VALUE")
        add.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
        add.add_argument("--region", default="", help="Two letters such as CR")
        add.add_argument(
            "--silence", type=int, metavar="MINUTES", help="Alarm after so long without a word"
        )
        map_to = actions.add_parser("map", help="An extension, user id, e-mail or number -> agent.")
        map_to.add_argument("name")
        map_to.add_argument("identity")
        map_to.add_argument("username")
        rotate = actions.add_parser("rotate", help="A new secret; the old one stays valid too.")
        rotate.add_argument("name")
        rotate.add_argument("--secret", action="append", default=[], help="VALUE or NAME=VALUE")
        rotate.add_argument("--finish", action="store_true", help="Ends the rotation instead")
        actions.add_parser("list", help="All accounts: when they last spoke, and who is silent.")

    def handle(self, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(**options)

    def _add(
        self,
        kind: str,
        name: str,
        secret: list[str],
        set: list[str],
        region: str,
        silence: int | None,
        **_: Any,
    ) -> None:
        account = ProviderAccount(kind=kind, name=name, region=region.upper())
        account.silence_minutes = silence
        account.settings = dict(_pair(one) for one in set)
        self._take_secrets(account, secret)
        try:
            account.full_clean()
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        account.save()
        self.stdout.write(hook_address(account) or f"{account.name} has no hook.")
        for line in setup_lines(account):
            self.stdout.write(f"  - {line}")

    def _map(self, name: str, identity: str, username: str, **_: Any) -> None:
        account = _account(name)
        try:
            agent = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            raise CommandError(f"There is nobody called {username}.") from None
        row = ProviderIdentity(account=account, identity=identity, user=agent)
        earlier = ProviderIdentity.objects.filter(account=account, identity=row.compared).first()
        if earlier is not None:
            row.pk = earlier.pk
        row.save()
        self.stdout.write(f"{row.identity} is {agent.username} in {account.name}.")

    def _rotate(self, name: str, secret: list[str], finish: bool, **_: Any) -> None:
        account = _account(name)
        if finish:
            account.forget_old_secrets()
        elif secret:
            self._take_secrets(account, secret)
        else:
            raise CommandError("Give the new value with --secret, or --finish.")
        account.save(update_fields=["sealed"])
        valid = ", ".join(f"{key}: {len(values)}" for key, values in account.secrets.items())
        self.stdout.write(f"Valid values now: {valid}")

    def _list(self, **_: Any) -> None:
        for account in ProviderAccount.objects.all():
            heard = account.last_heard_at
            when = f"{heard:%Y-%m-%d %H:%M:%S} UTC" if heard else "never"
            address = hook_address(account) or account.state or "-"
            since = account.silent_since
            silent = f"silent since {since:%Y-%m-%d %H:%M} UTC" if since else "-"
            self.stdout.write(f"{account.name}\t{account.kind}\t{when}\t{silent}\t{address}")

    def _take_secrets(self, account: ProviderAccount, given: list[str]) -> None:
        """`VALUE` is the adapter's first secret; `NAME=VALUE` another of its own."""
        adapter = adapters()[account.kind]
        names = adapter.secret_names + adapter.optional_secret_names
        for one in given:
            name, sign, value = one.partition("=")
            if not (sign and name in names):
                if not names:
                    raise CommandError(f"{account.kind} has no secret.")
                name, value = names[0], one
            account.add_secret(name, value)


def _account(name: str) -> ProviderAccount:
    try:
        return ProviderAccount.objects.get(name=name)
    except ProviderAccount.DoesNotExist:
        raise CommandError(f"There is no account called {name}.") from None


def _pair(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not (sign and key):
        raise CommandError(f"{text!r}: write KEY=VALUE.")
    try:
        return key, setting_of(value)
    except ValueError as error:
        raise CommandError(f"{key}: this is not valid JSON ({error}).") from error
