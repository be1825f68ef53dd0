"""The keys that sign: in the environment, or in a parameter of AWS that the environment names."""

import re
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from mypy_boto3_ssm.client import SSMClient

# What .env.example holds, and what `django-admin startproject` begins its own with: everybody knows them.
EXAMPLE = "for-development-only-make-your-own-before-anyone-else-can-reach-this-site"
INSECURE = "django-insecure-"
MIN_CHARACTERS = 32


def read(key: str, parameter: str) -> list[str]:
    """Return the key that signs, and after it those that are still good, from the one of the two that is set.

    `parameter` names a SecureString of SSM Parameter Store. It may hold several keys, separated by commas or
    line breaks. Raises ImproperlyConfigured where both or none are set, and where AWS does not give one.
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


def refusal(key: str) -> str | None:
    """Say why a key must not sign where others can reach the site, or return None where it may."""
    if key == EXAMPLE or key.startswith(INSECURE):
        return "SECRET_KEY is the example's, which everybody knows: make your own (.env.example says how)."
    if len(key) < MIN_CHARACTERS:
        return (
            f"SECRET_KEY must have at least {MIN_CHARACTERS} characters: .env.example says how to make one."
        )
    return None


def _from_parameter(name: str) -> list[str]:
    # Lambda gives a start 10 seconds in all.
    config = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
    try:
        # Not boto3's: what that loads for S3 would make each cold start slower.
        client = cast("SSMClient", Session().create_client("ssm", config=config))
        value = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code == "ParameterNotFound":
            raise ImproperlyConfigured(
                f"SECRET_KEY_PARAMETER: there is no parameter {name} in {client.meta.region_name}. Make it: "
                f"aws ssm put-parameter --type SecureString --name {name} --value …"
            ) from error
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: {name} cannot be read: {code}") from error
    except BotoCoreError as error:
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: {name} cannot be read: {error}") from error
    if not (keys := [key for part in re.split(r"[,\n]", value) if (key := part.strip())]):
        raise ImproperlyConfigured(f"SECRET_KEY_PARAMETER: the parameter {name} holds no key.")
    return keys
