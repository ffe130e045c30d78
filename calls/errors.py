"""What may be wrong with a request about a call. Messages are sentences for the person asking."""


class CallError(Exception):
    """A request about a call that cannot be carried out; nothing was changed."""

    def __init__(self, message: str, field: str = ""):
        super().__init__(message)
        self.message = str(message)
        self.field = field


class BadCallData(CallError):
    """The request makes no sense: an impossible instant, an unknown status (400)."""


class CallConflict(CallError):
    """The request contradicts what is recorded, such as a second end with another status (409)."""


class CallNotFound(CallError):
    """No such call among those the person may touch (404)."""
