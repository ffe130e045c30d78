"""Phone systems that are listened to over a lasting connection, and what is heard becomes calls."""
