"""What we add to Django's databases and cache: backends, statements made once, limits, counters."""
