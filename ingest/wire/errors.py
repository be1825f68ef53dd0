"""The errors of AWS's clients."""

from botocore.exceptions import BotoCoreError, ClientError

# AWS, or the network before it, is in trouble.
AWS_ERRORS = (BotoCoreError, ClientError)
