"""Whom an account's records name, asked once a name."""

from calls.models import ProviderAccount, ProviderIdentity

_MOST = 20_000


class People:
    """The agents by the names that `account` calls them."""

    def __init__(self, account: ProviderAccount):
        self.account = account
        self._known: dict[tuple[str, ...], int | None] = {}

    def agent(self, names: tuple[str, ...]) -> int | None:
        """The key of the person who is called by one of `names`, the first that is known."""
        if not names:
            return None
        if names not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = ProviderIdentity.agent_of(self.account, names)
            self._known[names] = None if found is None else found.pk
        return self._known[names]

    def knows(self, name: str) -> bool:
        """Whether somebody of ours is called so there."""
        return self.agent((name,)) is not None
