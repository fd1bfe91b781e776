"""The one error that says: what you gave cannot be used, and what to do about it."""

_LONGEST = 1200  # characters, of which a path and a cause of another library's may take the most


class InputError(ValueError):
    """What a person gave cannot be used.

    The message is for that person: what was given, what was expected, what to do. The command
    line prints it as one sentence and exits with code 2; nothing has been written by then.

    What was given may hold anything: the message comes out as one line that can be printed, cut in
    the middle where it is endless.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_shortened(printable(" ".join(message.splitlines()))))


def printable(text: str) -> str:
    """A text fit for a terminal: what cannot be printed, or would command it, is escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _shortened(message: str) -> str:
    if len(message) <= _LONGEST:
        return message
    half = _LONGEST // 2
    return f"{message[:half]} […] {message[-half:]}"
