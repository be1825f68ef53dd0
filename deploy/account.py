"""Where to deploy to: an AWS account and its region, or an emulator at an endpoint of its own."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError


class NoAccount(Exception):
    """No credentials, no region, or AWS does not take them; the text says what to do."""


@dataclass(frozen=True)
class Account:
    """An account as its operator's credentials reach it."""

    number: str
    region: str
    partition: str
    caller: str
    endpoint: str | None

    def client(self, service: str) -> Any:
        """Return boto3's client of a service."""
        return _client(service)

    @cached_property
    def has_tls(self) -> bool:
        """Tell whether services are reached by TLS: always, but for an emulator."""
        return self.endpoint is None or self.endpoint.startswith("https://")

    def site_host(self, api_id: str) -> str:
        """Return the host name of an API, with the port where it is not the usual one."""
        return f"{api_id}{self.host_suffix}{self._port}"

    @property
    def host_suffix(self) -> str:
        """What the host names of all APIs end in, for ALLOWED_HOSTS."""
        if self.endpoint:
            return ".execute-api.localhost"
        domain = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f".execute-api.{self.region}.{domain}"

    @property
    def scheme(self) -> str:
        """https, but for an emulator."""
        return "https" if self.has_tls else "http"

    @property
    def origins(self) -> list[str]:
        """The origins that forms come from, where they are not the site's own address by https."""
        return [] if self.has_tls else [f"http://*{self.host_suffix}{self._port}"]

    @property
    def _port(self) -> str:
        port = urlsplit(self.endpoint).port if self.endpoint else None
        return f":{port}" if port else ""


def find() -> Account:
    """Return the account that the environment leads to. Raises NoAccount."""
    try:
        session = boto3.session.Session()
        if not session.region_name:
            raise NoAccount("No region: set AWS_DEFAULT_REGION, or `aws configure`.")
        identity = _client("sts").get_caller_identity()
    except EndpointConnectionError as error:
        raise NoAccount(f"Nothing answers there: {error}. Is AWS_ENDPOINT_URL right?") from error
    except (BotoCoreError, ClientError) as error:
        raise NoAccount(
            f"AWS does not know you: {error}. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or `aws configure`."
        ) from error
    return Account(
        number=identity["Account"],
        region=session.region_name,
        partition=identity["Arn"].split(":")[1],
        caller=identity["Arn"],
        endpoint=os.environ.get("AWS_ENDPOINT_URL") or None,
    )


def _client(service: str) -> Any:
    session: Any = boto3.session.Session()  # its types want the service's name as a literal
    return session.client(
        service, config=Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
    )
