"""Which backups stay, by their names alone."""

import datetime as dt

from upkeep.backups import rotation
from upkeep.backups.places import name_at


def test_the_newest_and_the_last_of_days_and_weeks_stay():
    present = dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC)  # a Wednesday
    names = [name_at(present - dt.timedelta(minutes=30 * n)) for n in range(48 * 40)]
    going = rotation.names_that_go([*names, "somebody's.tar.zst"], names)
    staying = [name for name in names if name not in going]
    assert staying[:24] == names[:24] and "somebody's.tar.zst" not in going
    last_of_days = [name_at(dt.datetime(2026, 7, day, 23, 30, tzinfo=dt.UTC)) for day in (14, 9)]
    last_of_weeks = [
        name_at(dt.datetime(2026, month, day, 23, 30, tzinfo=dt.UTC))
        for month, day in ((7, 12), (7, 5), (6, 28))
    ]
    assert set(last_of_days + last_of_weeks) <= set(staying)
    assert len(staying) == 24 + 6 + 2  # today's and this week's are among the newest


def test_the_last_good_one_stays_however_old():
    present = dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC)
    names = [name_at(present - dt.timedelta(minutes=30 * n)) for n in range(48 * 40)]
    good = names[-2:]
    assert good[0] not in rotation.names_that_go(names, good)
    assert good[1] in rotation.names_that_go(names, good)
