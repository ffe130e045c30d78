"""Which call a record is about, how the two differ and why, what is missing on either side."""
