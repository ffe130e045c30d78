"""Numbers of calls as names of figures write them."""


def short(calls: int) -> str:
    """`10k`, `1m`, `5m`, or the number itself where it is not round."""
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if calls >= size and calls % size == 0:
            return f"{calls // size}{letter}"
    return str(calls)
