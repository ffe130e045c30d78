"""How each database is copied while it is being written, checked, and put in another's place."""
