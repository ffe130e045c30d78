"""Phone systems that are listened to: their servers, and how they play to a listener."""
