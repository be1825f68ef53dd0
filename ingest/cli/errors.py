"""The ways in which a command ends early."""

# A shell's exit status of a command that Ctrl-C ended.
INTERRUPTED = 130


class CommandFailed(Exception):
    """A command cannot continue. Its text tells the user the cause and the next step."""
