"""An AWS account and region, or an emulator with its own endpoint."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session

from deploy.errors import AWS_ERRORS, CommandFailed


@dataclass(frozen=True)
class Account:
    """An AWS account and region, as the operator's credentials reach it."""

    number: str
    region: str
    partition: str
    endpoint: str | None
    # The unique id of the operator's role or user. SQS names it as the sender of a message.
    caller: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Return the account of the operator's credentials. Costs one request to STS.

        Raise CommandFailed if the region or the credentials are missing, or if AWS rejects them.
        """
        try:
            session = boto3.session.Session()
            if not session.region_name:
                raise CommandFailed(
                    "The AWS region is missing. Set AWS_DEFAULT_REGION, or run `aws configure`."
                )
            identity = _client("sts").get_caller_identity()
        except EndpointConnectionError as error:
            raise CommandFailed(f"AWS is unreachable: {error}. Check AWS_ENDPOINT_URL.") from error
        except AWS_ERRORS as error:
            raise CommandFailed(
                f"The AWS credentials are missing or rejected: {error}. Set AWS_PROFILE, or "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`."
            ) from error
        return cls(
            number=identity["Account"],
            region=session.region_name,
            partition=identity["Arn"].split(":")[1],
            endpoint=os.environ.get("AWS_ENDPOINT_URL") or None,
            caller=identity["UserId"].split(":")[0],
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of the service."""
        return _client(service)

    @property
    def has_tls(self) -> bool:
        """Return whether services are reached over TLS. An emulator may have plain HTTP."""
        return self.endpoint is None or self.endpoint.startswith("https://")

    def site_host(self, api_id: str) -> str:
        """Return the host name of an API, with the port of an emulator."""
        return f"{api_id}{self.host_suffix}{self._port}"

    @property
    def host_suffix(self) -> str:
        """Return the common suffix of the host names of all APIs, for ALLOWED_HOSTS."""
        if self.endpoint:
            return ".execute-api.localhost"
        return f".execute-api.{self.region}.{self.domain}"

    @property
    def domain(self) -> str:
        """Return the domain of AWS's services."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def scheme(self) -> str:
        """Return the scheme of the site's address: https, or http without TLS."""
        return "https" if self.has_tls else "http"

    @property
    def origins(self) -> list[str]:
        """Return the trusted origins of forms.

        Empty with TLS, because Django trusts the site's own address then.
        """
        return [] if self.has_tls else [f"http://*{self.host_suffix}{self._port}"]

    @property
    def _port(self) -> str:
        port = urlsplit(self.endpoint).port if self.endpoint else None
        return f":{port}" if port else ""


def _client(service: str) -> Any:
    # Each client has its own session, because creating clients from a shared one is not thread-safe.
    core = Session()
    core.register_component("data_loader", _loader())
    session: Any = boto3.session.Session(botocore_session=core)  # boto3-stubs accepts only literal names
    return session.client(
        service, config=Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"})
    )


@cache
def _loader() -> Any:
    """Return a loader of botocore's service models, shared because loading them takes 50 ms."""
    return Session().get_component("data_loader")
