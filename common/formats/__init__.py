"""How each language writes days and times: Django's own forms, where they are not changed here."""
