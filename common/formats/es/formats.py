"""Spanish; the rest is Django's: 27/11/2026, 27 de noviembre de 2026, 10:40."""

DATETIME_FORMAT = "d/m/Y H:i"  # in lists of the administration
DAY_AND_MONTH_FORMAT = "j b"
