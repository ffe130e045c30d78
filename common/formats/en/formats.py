"""English, with the month in letters: 11/12 is another day on each side of the ocean."""

DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
MONTH_DAY_FORMAT = "j F"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y H:i"  # in lists of the administration
SHORT_DATETIME_FORMAT = "j M Y H:i"

DAY_AND_MONTH_FORMAT = "j M"
