"""The adapters, by kind: every module of this package that holds one is found by being there."""

import importlib
import pkgutil
from functools import cache

from calls.providers.base import Adapter


@cache
def adapters() -> dict[str, type[Adapter]]:
    """The adapters by their kind, sorted."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = {one.kind: one for one in _all_of(Adapter) if one.kind}
    return dict(sorted(found.items()))


def _all_of(parent: type[Adapter]) -> set[type[Adapter]]:
    children = set(parent.__subclasses__())
    return children.union(*map(_all_of, children)) if children else children
