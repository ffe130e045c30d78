import datetime as dt
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

class _Task(Generic[_P, _R]):
    call_local: Callable[_P, _R]  # at once, in this process
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> object: ...

def db_task() -> Callable[[Callable[_P, _R]], _Task[_P, _R]]: ...
def db_periodic_task(
    validate_datetime: Callable[[dt.datetime], bool],
) -> Callable[[Callable[_P, _R]], _Task[_P, _R]]: ...
def on_startup() -> Callable[[Callable[[], None]], Callable[[], None]]: ...

class _Huey:
    def pending_count(self) -> int: ...
    def flush(self) -> None: ...

HUEY: _Huey
