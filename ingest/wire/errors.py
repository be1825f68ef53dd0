"""The errors of AWS's clients."""

from botocore.exceptions import BotoCoreError, ClientError

# botocore raises one of these if AWS rejects a request or is unreachable, after all retries.
AWS_ERRORS = (BotoCoreError, ClientError)
