"""Accounts that begin with `_` are accepted from Logsite's own senders only."""

from datetime import timedelta
from typing import Any

import pytest

from ingest import messages
from ingest.writing import items
from logs.models import LogItem
from logs.storage import documents
from tests.factories import make_body, make_record

SENDER = "AROAEXAMPLE"


def item_of(sender: str, **changes: Any) -> LogItem:
    record = make_record(make_body(**changes))
    record["attributes"]["SenderId"] = sender
    return items.to_item(
        messages.parse(record["body"]), messages.envelope(record), retention=timedelta(days=9)
    )


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the endpoints, as on AWS. Nothing is sent."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize("sender", [SENDER, f"{SENDER}:session"])
def test_own_sender_writes_own_accounts(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    monkeypatch.setenv("LOGS_OWN_SENDERS", f"AIDAOTHER, {SENDER}")

    assert item_of(sender, account_id="_logsite").account_id == "_logsite"


@pytest.mark.parametrize("sender", ["AROAOTHER:session", f"AROAOTHER:{SENDER}", f"{SENDER}2", ""])
@pytest.mark.parametrize("account_id", ["_logsite", "_", " _logsite "])
def test_other_sender_is_unverified(monkeypatch: pytest.MonkeyPatch, sender: str, account_id: str) -> None:
    monkeypatch.setenv("LOGS_OWN_SENDERS", f"{SENDER},")

    item = item_of(sender, account_id=account_id, sub_type="doctor", _account_id="mine")

    assert (item.account_id, item.account_type) == ("_unverified", "_unverified#login")
    assert documents.content(item).extra == {"_account_id": "mine", "__account_id": account_id.strip()}
    assert item.expires_at == item.received_at.replace(microsecond=0) + timedelta(days=9)


@pytest.mark.usefixtures("on_aws")
def test_nobody_is_an_own_sender_on_aws_without_the_setting() -> None:
    assert item_of(SENDER, account_id="_logsite").account_id == "_unverified"
    assert item_of(SENDER, account_id=7).account_id == "7"


@pytest.mark.usefixtures("on_aws")
def test_endpoint_of_aws_is_not_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com")

    assert item_of(SENDER, account_id="_logsite").account_id == "_unverified"


def test_every_sender_writes_own_accounts_locally() -> None:
    assert item_of("AIDALOCAL", account_id="_logsite").account_id == "_logsite"
