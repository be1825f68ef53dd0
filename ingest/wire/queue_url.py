"""The URL of a queue: its rules, its region and its endpoint."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

EXAMPLE = "https://sqs.eu-west-1.amazonaws.com/123456789012/LogsQueue"
NEXT_STEP = "`aws sqs get-queue-url --queue-name NAME` prints the URL of a queue."
MAX_SHOWN = 200

# The DNS suffixes of AWS's partitions, for IPv4 and for dual-stack endpoints: botocore/data/partitions.json.
AWS_SUFFIXES = (
    *("amazonaws.com", "api.aws"),
    *("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    *("amazonaws.eu", "api.amazonwebservices.eu"),
    *("c2s.ic.gov", "api.aws.ic.gov"),
    *("sc2s.sgov.gov", "api.aws.scloud"),
    *("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    *("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
)
_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]+"
# The last two are legacy endpoints, which some SDKs returned for years:
# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
_AWS_HOSTS = (
    re.compile(rf"sqs\.(?P<region>{_REGION})"),
    re.compile(rf"sqs-fips\.(?P<region>{_REGION})"),
    re.compile(rf"vpce-[a-z0-9-]+\.sqs(?:-fips)?\.(?P<region>{_REGION})\.vpce"),
    re.compile(rf"(?P<region>{_REGION})\.queue"),
    re.compile(r"queue|sqs"),
)
# The endpoint of botocore itself serves these hosts.
_OWN_HOSTS = (_AWS_HOSTS[0], *_AWS_HOSTS[3:])
LEGACY_REGION = "us-east-1"
# Emulators: `sqs.REGION.localhost.localstack.cloud`, `REGION.queue.…`, `/queue/REGION/ACCOUNT/NAME`.
# https://docs.localstack.cloud/aws/services/sqs/
_EMULATOR_HOST = re.compile(rf"sqs\.(?P<sqs>{_REGION})\..+|(?P<queue>{_REGION})\.queue\..+")
_EMULATOR_PATH = re.compile(rf"/queue/(?P<region>{_REGION})/[^/]+/[^/]+")
LOCALSTACK_HOST = "queue.localhost.localstack.cloud"

_AWS_PATH = re.compile(r"/[0-9]{12}/[A-Za-z0-9_-]{1,80}")
# An account is no number on every emulator, and ElasticMQ has `/queue/NAME`.
_EMULATOR_PATHS = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/[A-Za-z0-9_-]{1,80}")


class InvalidQueueUrl(ValueError):
    """A value is not the URL of a standard queue. The text names the parameter, the rule and the value."""


@dataclass(frozen=True)
class QueueAddress:
    """The region and the endpoint in the URL of a queue.

    - `region`: None if the URL names no region, as with most emulators.
    - `endpoint`: the address to which requests for the queue go, or None for the region's own.
    """

    region: str | None
    endpoint: str | None


def parse(url: str, name: str = "queue_url") -> QueueAddress:
    """Return the region and the endpoint of a queue.

    `name` is the parameter or setting for the error message. Raise InvalidQueueUrl for everything but the
    URL of a standard queue, on AWS or on an emulator.
    """
    if rule := _violation(url):
        raise InvalidQueueUrl(f"{name} {rule}, not {_shown(url)}. {NEXT_STEP}")
    parts = urlsplit(url)
    host = parts.hostname or ""
    endpoint = f"{parts.scheme}://{parts.netloc}"
    prefix = _aws_prefix(host)
    if prefix is not None:
        match = _match_aws(prefix)
        region = (match.groupdict().get("region") if match else None) or LEGACY_REGION
        is_own = any(pattern.fullmatch(prefix) for pattern in _OWN_HOSTS) and not _is_dual_stack(host)
        return QueueAddress(region, None if is_own else endpoint)
    return QueueAddress(_emulator_region(host, parts.path), endpoint)


def is_aws_host(host: str) -> bool:
    """Return whether a host belongs to AWS, and not to an emulator."""
    return _aws_prefix(host) is not None


def _violation(url: object) -> str | None:
    """Return the rule that a URL violates, or None."""
    if not isinstance(url, str):
        return "must be the URL of a queue, as text"
    if not url or re.search(r"[\s\x00-\x20\x7f]", url):
        return "must be the URL of a queue, without white space"
    if url.startswith("arn:"):
        return f"must be the URL of a queue, such as {EXAMPLE}, and no ARN"
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or IPv6 address
        is_url = False
    if not is_url:
        return f"must be the URL of a queue, such as {EXAMPLE}"
    if parts.username is not None or "?" in url or "#" in url:
        return f"must be the URL of a queue alone, such as {EXAMPLE}, without user name, query and fragment"
    return _host_violation(parts)


def _host_violation(parts: SplitResult) -> str | None:
    """Return the rule that host and path violate, or None."""
    if parts.path.endswith(".fifo"):
        return "must be a standard queue: Logsite sends no message groups, which a FIFO queue needs"
    host = parts.hostname or ""
    prefix = _aws_prefix(host)
    if prefix is None:
        if not _EMULATOR_PATHS.fullmatch(parts.path):
            return "must end in an account and the name of a queue, such as /000000000000/LogsQueue"
        return None
    match = _match_aws(prefix)
    if not match or ("region" not in match.groupdict() and host != f"{prefix}.{AWS_SUFFIXES[0]}"):
        return f"must have a host of SQS, such as {urlsplit(EXAMPLE).hostname}"
    if not _AWS_PATH.fullmatch(parts.path):
        return (
            "must end in an account of 12 digits and the name of a queue, such as /123456789012/LogsQueue, "
            "and nothing more"
        )
    return None


def _aws_prefix(host: str) -> str | None:
    """Return the part of a host before AWS's suffix, or None if the host is not AWS's."""
    for suffix in AWS_SUFFIXES:
        if host.endswith(f".{suffix}"):
            return host.removesuffix(f".{suffix}")
    return None


def _match_aws(prefix: str) -> re.Match[str] | None:
    return next((match for pattern in _AWS_HOSTS if (match := pattern.fullmatch(prefix))), None)


def _is_dual_stack(host: str) -> bool:
    return any(host.endswith(f".{suffix}") for suffix in AWS_SUFFIXES if suffix.startswith("api."))


def _emulator_region(host: str, path: str) -> str | None:
    if match := _EMULATOR_HOST.fullmatch(host):
        return match["sqs"] or match["queue"]
    if match := _EMULATOR_PATH.fullmatch(path):
        return match["region"]
    return LEGACY_REGION if host == LOCALSTACK_HOST else None


def _shown(url: object) -> str:
    """Return a value for a message, shortened and without a password."""
    text = url if isinstance(url, str) else repr(url)
    text = re.sub(r"//[^/@]*@", "//…@", text)
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")
