"""Addresses of queues: the region and the endpoint in them, and values that are none."""

import logging
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from ingest import __main__ as commands
from ingest import worker
from ingest.cli.relay import Relay
from ingest.client import LogClient, NotSent
from ingest.sending.batches import send_batch
from ingest.sending.outgoing import OutgoingLog
from ingest.testing import RecordingClient
from ingest.wire import queue_url, sqs
from ingest.wire.errors import explain
from ingest.wire.queue_url import InvalidQueueUrl
from ingest.writing import dead_letters
from ingest.writing.lambda_event import queue_arn
from logsite.doctor import queues as queue_checks
from logsite.doctor.results import run_check
from tests.factories import make_body, make_fields
from tests.queues import Queues
from tests.waiting import wait_until

pytest_plugins = ["tests.sqs_server"]

PATH = "/123456789012/LogsQueue"

# URL without its path → region, endpoint that differs from the region's own
AWS_ADDRESSES = [
    ("https://sqs.eu-west-1.amazonaws.com", "eu-west-1", False),
    ("http://sqs.eu-west-1.amazonaws.com", "eu-west-1", False),
    ("https://SQS.EU-West-1.AmazonAWS.com:443", "eu-west-1", False),
    ("https://eu-west-1.queue.amazonaws.com", "eu-west-1", False),
    ("https://queue.amazonaws.com", "us-east-1", False),
    ("https://sqs.amazonaws.com", "us-east-1", False),
    ("https://sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1", False),
    ("https://us-gov-west-1.queue.amazonaws.com", "us-gov-west-1", False),
    ("https://sqs.cn-north-1.amazonaws.com.cn", "cn-north-1", False),
    ("https://cn-northwest-1.queue.amazonaws.com.cn", "cn-northwest-1", False),
    ("https://sqs.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", False),
    ("https://sqs.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", False),
    ("https://sqs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", False),
    ("https://sqs.ap-southeast-2.api.aws", "ap-southeast-2", True),
    ("https://sqs.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1", True),
    ("https://sqs-fips.us-east-2.amazonaws.com", "us-east-2", True),
    ("https://sqs-fips.us-east-2.api.aws", "us-east-2", True),
    ("https://vpce-0a1b2c3d-x1y2z3.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1", True),
    ("https://vpce-0a1b2c3d-x1y2z3-us-east-1a.sqs.us-east-1.vpce.amazonaws.com", "us-east-1", True),
    ("https://vpce-0a1b2c3d-x1y2z3.sqs.cn-north-1.vpce.amazonaws.com.cn", "cn-north-1", True),
]


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove region and endpoint from the environment."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def endpoint_of(url: str) -> str:
    return sqs.client(queue_url=url).meta.endpoint_url


@pytest.mark.parametrize(("base", "region", "has_endpoint"), AWS_ADDRESSES)
def test_region_in_the_address_is_used(
    bare_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    base: str,
    region: str,
    has_endpoint: bool,
) -> None:
    url = f"{base}{PATH}"
    assert sqs.region_of(url) == region
    LogClient(url, sync=True).close()

    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert sqs.region_of(url) == region
    assert queue_url.parse(url).endpoint == (base if has_endpoint else None)
    client = sqs.client(queue_url=url)
    assert client.meta.region_name == region
    assert client.meta.endpoint_url.startswith(
        base if has_endpoint else f"https://sqs.{region}.amazonaws"
    ) or (region.startswith("us-iso"))


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/q", "eu-west-1"),
        ("http://eu-west-1.queue.localhost.localstack.cloud:4566/000000000000/q", "eu-west-1"),
        ("http://queue.localhost.localstack.cloud:4566/000000000000/q", "us-east-1"),
        ("http://localhost:4566/queue/eu-west-1/000000000000/q", "eu-west-1"),
        ("http://localhost:4566/000000000000/q", None),
        ("http://[::1]:4566/000000000000/q", None),
        ("http://queue:9324/000000000000/q", None),
        ("http://localhost:9324/queue/q", None),
        ("http://127.0.0.1:5000/123456789012/q", None),
        ("https://message-queue.api.cloud.yandex.net/b1g8ad42m6he/dj6000000000/q", None),
    ],
)
def test_emulator_is_its_own_endpoint(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch, url: str, region: str | None
) -> None:
    assert queue_url.parse(url).region == region
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert url.startswith(f"{endpoint_of(url)}/")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"])
def test_configured_endpoint_precedes_the_address(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://localstack:4566")
    assert endpoint_of("http://sqs.eu-west-1.localhost.localstack.cloud:4566/0/q") == "http://localstack:4566"
    assert endpoint_of(f"https://sqs-fips.us-east-1.amazonaws.com{PATH}") == "http://localstack:4566"


@pytest.mark.parametrize(
    ("config", "endpoint"),
    [
        ("[default]\nendpoint_url = http://configured:1\n", "http://configured:1"),
        ("[default]\nservices = x\n[services x]\nsqs =\n  endpoint_url = http://configured:2\n", "http://configured:2"),
        ("[default]\nservices = x\n[services x]\ns3 =\n  endpoint_url = http://configured:3\n", "http://localhost:9"),
        ("[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n", "http://localhost:9"),
    ],
)  # fmt: skip
def test_endpoint_of_the_configuration_file_is_used(
    bare_environment: None, tmp_path: Path, config: str, endpoint: str
) -> None:
    (tmp_path / "config").write_text(f"{config}")
    assert endpoint_of("http://localhost:9/queue/eu-west-1/000000000000/q") == endpoint


INVALID = {
    "name": "LogsQueue",
    "arn": "arn:aws:sqs:eu-west-1:123456789012:LogsQueue",
    "white space": "  ",
    "space before": f" https://sqs.eu-west-1.amazonaws.com{PATH}",
    "line end": f"https://sqs.eu-west-1.amazonaws.com{PATH}\n",
    "quotes": f'"https://sqs.eu-west-1.amazonaws.com{PATH}"',
    "slash at the end": f"https://sqs.eu-west-1.amazonaws.com{PATH}/",
    "no scheme": f"sqs.eu-west-1.amazonaws.com{PATH}",
    "other scheme": f"sqs://eu-west-1.amazonaws.com{PATH}",
    "no host": f"https://{PATH}",
    "bad port": f"http://localhost:port{PATH}",
    "bad address": f"http://[::1{PATH}",
    "no account": "https://sqs.eu-west-1.amazonaws.com/LogsQueue",
    "no name": "https://sqs.eu-west-1.amazonaws.com/123456789012/",
    "endpoint alone": "https://sqs.eu-west-1.amazonaws.com",
    "short account": "https://sqs.eu-west-1.amazonaws.com/12345/LogsQueue",
    "long name": f"https://sqs.eu-west-1.amazonaws.com{PATH}{'x' * 80}",
    "more path": f"https://sqs.eu-west-1.amazonaws.com/x{PATH}",
    "query": f"https://sqs.eu-west-1.amazonaws.com{PATH}?Action=SendMessage",
    "console": "https://eu-west-1.console.aws.amazon.com/sqs/v3/home?region=eu-west-1#/queues/https%3A%2F%2F",
    "other service": f"https://sns.eu-west-1.amazonaws.com{PATH}",
    "bucket": "https://s3.eu-west-1.amazonaws.com/bucket/LogsQueue",
    "no region": f"https://sqs.euwest1.amazonaws.com{PATH}",
    "region-less elsewhere": f"https://queue.amazonaws.com.cn{PATH}",
    "emulator without account": "http://localhost:4566/LogsQueue",
    "emulator alone": "http://localhost:4566/",
    "fifo": f"https://sqs.eu-west-1.amazonaws.com{PATH}.fifo",
    "fifo of an emulator": "http://localhost:4566/000000000000/LogsQueue.fifo",
}


@pytest.mark.parametrize("url", INVALID.values(), ids=INVALID.keys())
def test_anything_but_a_queue_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ValueError, match=r"^queue_url must ") as error:
        LogClient(url)
    assert repr(url)[:50] in str(error.value)
    assert "aws sqs get-queue-url" in str(error.value)

    monkeypatch.setenv("LOGS_QUEUE_URL", url)
    with pytest.raises(ValueError, match=r"^LOGS_QUEUE_URL must "):
        LogClient(sync=True)


@pytest.mark.parametrize("value", [7, b"https://x", Path("queue"), ["x"]])
def test_queue_url_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="queue_url must be the URL of a queue, as text, not"):
        LogClient(value)


def test_fifo_queue_is_refused_with_the_reason() -> None:
    with pytest.raises(InvalidQueueUrl, match=r"must be a standard queue: .* FIFO"):
        LogClient(INVALID["fifo"])


def test_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(InvalidQueueUrl, match="without user name") as error:
        LogClient(f"https://user:SECRET@sqs.eu-west-1.amazonaws.com{PATH}")
    assert "SECRET" not in str(error.value)


def test_missing_region_is_an_error_at_construction(bare_environment: None) -> None:
    with pytest.raises(ValueError, match="queue_url names no region: set AWS_DEFAULT_REGION"):
        LogClient("http://localhost:4566/000000000000/q")


def test_unknown_profile_is_an_error_at_construction(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ValueError, match=r"configuration is invalid: .*nobody"):
        LogClient("http://localhost:4566/000000000000/q")


def test_recording_client_needs_no_region(bare_environment: None) -> None:
    RecordingClient().enqueue(**make_fields())


@pytest.mark.parametrize("url", ["LogsQueue", INVALID["arn"], INVALID["fifo"]])
@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "-", "--queue-url"],
        ["send", "x", "--follow", "--queue-url"],
        ["dead-letters", "replay", "--all", "--queue-url"],
        ["dead-letters", "list", "--dead-letter-queue-url"],
    ],
    ids=["send", "follow", "replay", "list"],
)
def test_commands_refuse_a_wrong_queue_url(
    queues: Queues, capsys: pytest.CaptureFixture[str], arguments: list[str], url: str
) -> None:
    assert commands.main([*arguments, url]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"{arguments[-1]} must be ")
    assert repr(url) in err


@pytest.mark.parametrize("url", ["LogsQueue", INVALID["slash at the end"]])
def test_commands_name_the_setting_of_a_wrong_url(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", url)
    assert commands.main(["send", "-"]) == 1
    assert capsys.readouterr().err.startswith("LOGS_QUEUE_URL must ")


@pytest.mark.parametrize("variable", ["LOGS_QUEUE_URL", "LOGS_DEAD_LETTER_QUEUE_URL"])
def test_worker_refuses_a_wrong_queue_url(
    queues: Queues, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "LogsQueue")
    with pytest.raises(SystemExit) as caught:
        worker.main([])
    assert caught.value.code == 2
    assert f"{variable} must be the URL of a queue" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["LOGS_QUEUE_URL", "LOGS_DEAD_LETTER_QUEUE_URL"])
def test_doctor_reports_a_wrong_queue_url(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "arn:aws:sqs:eu-west-1:123456789012:LogsQueue")
    [result] = run_check("Queues", queue_checks.check)
    assert result.verdict == "FAIL"
    assert result.text.startswith(f"{variable} must be the URL of a queue")


def test_writer_uses_the_region_of_each_queue(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    monkeypatch.setenv("LOGS_DEAD_LETTER_QUEUE_URL", f"https://eu-west-1.queue.amazonaws.com{PATH}")
    dead_letters.client.cache_clear()
    assert dead_letters.client().meta.region_name == "eu-west-1"
    dead_letters.client.cache_clear()


def test_queue_arn_of_an_emulators_path() -> None:
    url = "http://localhost:4566/queue/eu-west-1/000000000000/q"
    assert queue_arn(url, "eu-west-1") == "arn:aws:sqs:eu-west-1:000000000000:q"


# A queue that does not exist.


@pytest.fixture
def missing_url(queues: Queues) -> str:
    return f"{queues.url}-missing"


def test_missing_queue_is_missing_not_unreachable(queues: Queues, missing_url: str) -> None:
    batch = [OutgoingLog("", make_body()) for _ in range(3)]
    result = send_batch(queues.client, missing_url, batch)
    assert (result.missing, result.unreachable, result.is_blocked) == (True, False, True)
    assert result.retryable == batch
    assert f"the queue {missing_url} does not exist: create it, or correct the URL" in result.reason


def test_missing_queue_is_the_reason_of_not_sent(missing_url: str) -> None:
    with pytest.raises(NotSent, match=f"the queue {missing_url} does not exist") as caught:
        LogClient(missing_url, sync=True).enqueue_many(make_fields(user_id=n) for n in range(25))
    assert len(caught.value.logs) == 10
    assert len([*caught.value.rest]) == 15


def test_logs_for_a_missing_queue_wait_until_it_exists(
    queues: Queues, missing_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sending.sender.FIRST_DELAY_SECONDS", 0.01)
    with caplog.at_level(logging.WARNING, "ingest.client"), LogClient(missing_url) as client:
        client.enqueue(**make_fields())
        assert client.flush(0.1) is False
        wait_until(lambda: "the queue of logs does not exist, retrying" in caplog.text)
        queues.client.create_queue(QueueName=missing_url.rpartition("/")[2])
        assert client.flush(10) is True
    assert "SQS does not accept" not in caplog.text
    assert Queues(queues.client, missing_url, queues.dead_letter_url).count() == 1


def test_lost_logs_of_a_missing_queue_name_the_cause(
    missing_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = LogClient(missing_url, max_logs=1)
    client.enqueue(**make_fields())
    client.flush(0.1)
    wait_until(lambda: "does not exist" in caplog.text)
    for _ in range(3):
        client.enqueue(**make_fields())
    client.close(0.01)
    assert "the buffer is full, the queue of logs does not exist" in caplog.text
    assert "lost: the queue of logs does not exist" in caplog.text
    assert "unreachable" not in caplog.text


def test_send_reports_a_missing_queue(
    missing_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "logs.ndjson"
    path.write_text(make_body())
    assert commands.main(["send", str(path), "--queue-url", missing_url]) == 1
    err = capsys.readouterr().err
    assert f"The queue of logs does not exist: the queue {missing_url}" in err
    assert "To continue: --from-line 1" in err


def test_relay_reports_a_missing_queue(
    queues: Queues,
    missing_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "app.ndjson"
    path.write_text(f"{make_body()}\n")
    follower = Relay(path, tmp_path / "checkpoint", queues.client, missing_url)
    monkeypatch.setattr(follower, "_sleep", lambda seconds: follower.stop())
    follower.run()
    assert f"the queue of logs does not exist, retrying: the queue {missing_url}" in caplog.text
    assert follower.sent == 0


def test_worker_reports_a_missing_queue(
    queues: Queues, missing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[tuple[str, str]] = []
    poller = worker.Worker(queues.client, missing_url)
    monkeypatch.setattr(poller, "_sleep", lambda seconds: poller.stop())
    monkeypatch.setattr(
        "ingest.worker.logger.error", lambda text, **keys: errors.append((text, keys["reason"]))
    )
    poller.run()
    [(text, reason)] = errors
    assert text == "the queue does not exist, retrying"
    assert reason.startswith(f"the queue {missing_url} does not exist: create it")


def test_doctor_reports_a_missing_queue(
    queues: Queues, missing_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_QUEUE_URL", missing_url)
    [result] = run_check("Queues", queue_checks.check)
    assert "does not exist" in result.text
    assert result.text.endswith("Create the queue, or correct its URL in the settings.")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "does not exist: create it"),
        ("com.amazonaws.sqs#QueueDoesNotExist", "does not exist: create it"),
        ("AccessDenied", "lack a permission for the queue"),
        ("AccessDeniedException", "lack a permission for the queue"),
        ("InvalidClientTokenId", "does not accept the credentials"),
        ("SignatureDoesNotMatch", "does not accept the credentials"),
        ("ExpiredToken", "have expired: renew them"),
        ("RequestExpired", "the clock of this machine is wrong"),
        ("InvalidAddress", "is not in the region of the request"),
    ],
)
def test_error_of_aws_is_explained(code: str, words: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "AWS's text"}}, "SendMessageBatch")
    text = explain(error, "https://x/1/q")
    assert words in text
    assert "AWS's text" in text


def test_error_of_the_network_keeps_its_text() -> None:
    assert "no usable AWS credentials" in explain(NoCredentialsError(), "https://x/1/q")
    error = EndpointConnectionError(endpoint_url="http://127.0.0.1")
    assert explain(error, "https://x/1/q") == str(error)
