"""Where the fields of a report are: in the object itself, or in one of those it stands in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from calls.providers.reading import is_empty

Objects = tuple[Mapping[str, Any], ...]


def dig(data: Any, path: str) -> Any:
    """What is at a dotted path, `data.legs.0.number`; None where there is nothing."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isascii() and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def first_place(objects: Objects, path: str) -> int:
    """Which of `objects`, the innermost first, has something at `path`; their number if none."""
    for place, one in enumerate(objects):
        if not is_empty(dig(one, path)):
            return place
    return len(objects)


def first(objects: Objects, path: str) -> Any:
    """What the innermost of `objects` that has something at `path` has there; None otherwise."""
    place = first_place(objects, path)
    return dig(objects[place], path) if place < len(objects) else None


def listed(said: Mapping[str, Any], path: str) -> list[Objects] | None:
    """The objects of the list at `path`, each with those it stands in, the innermost first.

    A list on the way is one of objects, each of which holds a list of its own:
    `participants.sessions`. None where there is no list; ValueError if it holds anything else.
    """
    found = list(_walked((said,), said, path.split(".")))
    return found if found or isinstance(dig(said, path), list) else None


def _walked(above: Objects, at: Any, steps: Sequence[str]) -> Iterator[Objects]:
    if isinstance(at, list) and not (steps and steps[0].isdigit()):
        for one in at:
            if not isinstance(one, Mapping):
                raise ValueError("A list holds something else than objects.")
            if steps:
                yield from _walked((one, *above), one, steps)
            else:
                yield (one, *above)
    elif steps:
        deeper = dig(at, steps[0])
        if isinstance(deeper, Mapping) and len(steps) > 1:
            above = (deeper, *above)
        if deeper is not None:
            yield from _walked(above, deeper, steps[1:])
