"""The exceptions that AWS's libraries raise."""

from botocore.exceptions import ClientError

from logs.reader import STORE_ERRORS

# AWS refused a request, or is unreachable. PynamoDB lets botocore's ClientError through in places.
AWS_ERRORS = (*STORE_ERRORS, ClientError)
