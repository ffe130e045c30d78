"""Records of phone systems as files: see `catalogue.py` for which formats there are."""
