"""What stands in cells: times, lengths, outcomes, people."""


class Unclear(ValueError):
    """A cell that cannot be read; the message is a sentence about it."""
