"""An Asterisk that is not there: its manager interface, and what its events say."""
