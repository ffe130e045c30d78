"""How days, times and periods are written for people. A folder a language has what differs from
Django's own forms."""
