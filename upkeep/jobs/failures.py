"""When a failure is told of, and in which words."""

from typing import Final

# In a row. One or two may be a passing fault, which the next run makes good.
FAILURES_TO_TELL: Final = 3


def one_line(error: BaseException) -> str:
    """The error as one line of at most 500 characters."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
