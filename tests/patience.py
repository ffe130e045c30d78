"""How long tests wait for what must come true; that it comes sooner is the rule."""

PATIENCE = 60  # seconds
