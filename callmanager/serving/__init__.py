"""How requests come in: on which thread, from whom, and how long they may take to arrive."""
