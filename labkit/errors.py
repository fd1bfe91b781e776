"""The one error that says: what you gave cannot be used, and what to do about it."""


class InputError(ValueError):
    """What a person gave cannot be used.

    The message is for that person: what was given, what was expected, what to do. The command
    line prints it as one sentence and exits with code 2; nothing has been written by then.
    """
