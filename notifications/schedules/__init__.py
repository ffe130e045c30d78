"""Reports by mail: when they are due, to whom, what they say, and how they are sent."""
