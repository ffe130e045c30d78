"""Scripted calls as each phone system would tell them: every module here that builds is found."""

import importlib
import pkgutil
from functools import cache

from calls.simulation.base import Builder


@cache
def builders() -> dict[str, Builder]:
    """The builders by kind of provider, sorted: the `BUILDER` of every module of this package."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        builder = getattr(importlib.import_module(f"{__name__}.{module.name}"), "BUILDER", None)
        if builder is not None:
            found[builder.kind] = builder
    return dict(sorted(found.items()))
