"""The base of every error that ends a command."""


class CommandFailed(Exception):
    """A command cannot continue. Its text is the message for the user: the cause and the next step."""
