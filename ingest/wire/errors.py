"""The errors of AWS's clients, and their causes in words."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

# botocore raises one of these if AWS rejects a request or is unreachable, after all retries.
AWS_ERRORS = (BotoCoreError, ClientError)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
# Each code is that of the query protocol or of the JSON protocol.
_MISSING_QUEUE = {"NonExistentQueue", "QueueDoesNotExist"}
_NO_PERMISSION = {"AccessDenied", "AccessDeniedException", "NotAuthorized", "AuthorizationError"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_WRONG_CREDENTIALS = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_WRONG_CLOCK = {"RequestExpired", "RequestTimeTooSkewed"}
_WRONG_ADDRESS = {"InvalidAddress"}
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)


def error_code(error: Exception) -> str:
    """Return the code of a response of AWS, without its namespace.

    It is empty if AWS did not respond.
    """
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2].rpartition("#")[2]


def is_queue_missing(error: Exception) -> bool:
    """Return whether SQS answered that the queue does not exist."""
    return error_code(error) in _MISSING_QUEUE


def explain(error: Exception, queue_url: str) -> str:
    """Return the cause of one of AWS_ERRORS, with the next step.

    AWS's own text follows. Errors without a more precise cause, such as a closed connection, keep it alone.
    """
    code = error_code(error)
    cause = ""
    if code in _MISSING_QUEUE:
        cause = f"the queue {queue_url} does not exist: create it, or correct the URL"
    elif code in _NO_PERMISSION:
        cause = f"the credentials lack a permission for the queue {queue_url}"
    elif code in _EXPIRED:
        cause = "the AWS credentials have expired: renew them"
    elif code in _WRONG_CLOCK or "Signature expired" in str(error) or "not yet current" in str(error):
        cause = "the clock of this machine is wrong: synchronize it, by NTP"
    elif code in _WRONG_CREDENTIALS:
        cause = "AWS does not accept the credentials: correct them"
    elif code in _WRONG_ADDRESS:
        cause = f"the queue {queue_url} is not in the region of the request: correct the URL or the endpoint"
    elif isinstance(error, _NO_CREDENTIALS):
        cause = "there are no usable AWS credentials: configure them"
    return f"{cause} ({error})" if cause else str(error)
