"""The base of the errors that end `manage.py runlocal`."""


class StackError(Exception):
    """A part of the local stack failed. The text names the part, the cause and the next step."""
