"""The errors that a deploy command prints before it exits with status 1."""

from botocore.exceptions import BotoCoreError, ClientError

# boto3 raises one of these if AWS rejects a request or is unreachable.
AWS_ERRORS = (BotoCoreError, ClientError)


class CommandFailed(Exception):
    """The command cannot continue. The text names the cause and the next step."""


class BuildFailed(CommandFailed):
    """The package cannot be built. The text holds the output of the failed program."""


class NoSuchStage(CommandFailed):
    """zappa_settings.json has no such stage."""


class NotDeployed(CommandFailed):
    """The account has no such stage, or a part of it is missing."""


class StackFailed(CommandFailed):
    """CloudFormation failed to create, update or delete a stack. The text holds its reasons."""
