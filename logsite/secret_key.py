"""The signing keys: in the environment, or in a parameter of SSM Parameter Store."""

import re
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

# Public keys: the one in .env.example, and the prefix that `django-admin startproject` uses.
EXAMPLE_KEY = "for-development-only-make-your-own-before-anyone-else-can-reach-this-site"
INSECURE_PREFIX = "django-insecure-"
MIN_CHARACTERS = 32


def read(key: str, parameter: str) -> list[str]:
    """Return the signing key, followed by older keys whose signatures stay valid.

    `key` is the value of SECRET_KEY. `parameter` is the name of a SecureString in SSM Parameter Store, which
    holds one or more keys, separated by commas or line breaks. Exactly one of the two must not be empty.
    Raise ImproperlyConfigured otherwise, or if the parameter is not readable.
    """
    if key and parameter:
        raise ImproperlyConfigured("Set SECRET_KEY or SECRET_KEY_PARAMETER, not both.")
    if key:
        return [key]
    if parameter:
        return _from_parameter(parameter)
    raise ImproperlyConfigured(
        "Set SECRET_KEY, or SECRET_KEY_PARAMETER to the name of the SSM parameter that holds it."
    )


def weakness(key: str) -> str | None:
    """Return why a key is unsafe for a public site, or None."""
    if key == EXAMPLE_KEY or key.startswith(INSECURE_PREFIX):
        return "SECRET_KEY is a public example. Generate your own: see .env.example."
    if len(key) < MIN_CHARACTERS:
        return f"SECRET_KEY must have at least {MIN_CHARACTERS} characters: see .env.example."
    return None


def _from_parameter(name: str) -> list[str]:
    # Lambda limits the whole initialization to 10 seconds.
    config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
    try:
        # botocore's session, because boto3 also loads S3's code, which slows every cold start.
        client = cast("SSMClient", Session().create_client("ssm", config=config))
        value = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code == "ParameterNotFound":
            raise ImproperlyConfigured(
                f"SECRET_KEY_PARAMETER: there is no parameter {name} in {client.meta.region_name}. "
                f"Create it: aws ssm put-parameter --type SecureString --name {name} --value …"
            ) from error
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: {name} is not readable: {code}") from error
    except BotoCoreError as error:
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: {name} is not readable: {error}") from error
    if not (keys := [key for part in re.split(r"[,\n]", value) if (key := part.strip())]):
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: the parameter {name} holds no key.")
    return keys
