import datetime as dt
from collections.abc import Callable

from huey.storage import SqliteStorage

def crontab(
    minute: str = "*", hour: str = "*", day: str = "*", month: str = "*", day_of_week: str = "*"
) -> Callable[[dt.datetime], bool]: ...

class SqliteHuey:
    storage_class: type[SqliteStorage]
