"""Rolling back to a writer that does not record late logs is refused while digests are on."""

import base64
import io
import zipfile
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy import functions
from deploy.deployment import Deployment
from deploy.errors import CommandFailed
from deploy.stage import ROOT, Stage


class FakeLambda:
    """Lambda with two versions of each function, whose packages have one file."""

    exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)

    def __init__(self, file: str, table: str) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            package.writestr(file, "")
        self.location = f"data:application/zip;base64,{base64.b64encode(content.getvalue()).decode()}"
        self.configuration = {
            "Runtime": "python3.13",
            "Handler": "h",
            "Environment": {"Variables": {"DIGESTS_TABLE": table}},
        }
        self.updated: list[str] = []

    def get_paginator(self, _: str) -> "FakeLambda":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Versions": [{"Version": each, **self.configuration} for each in ("$LATEST", "1", "2")]}]

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return self.configuration

    def get_function(self, **_: str) -> dict[str, Any]:
        return {"Code": {"Location": self.location}}

    def update_function_code(self, *, FunctionName: str, **_: object) -> None:
        self.updated.append(FunctionName)

    def get_waiter(self, _: str) -> "FakeLambda":
        return self

    def wait(self, **_: str) -> None:
        pass


@pytest.mark.parametrize(
    ("file", "table"), [(functions.LATE_LOGS, "logsite-dev-digests"), ("ingest/writing/batch.py", "")]
)
def test_rollback_to_a_writer_that_fits_the_digests(file: str, table: str) -> None:
    client = FakeLambda(file, table)
    deployment = SimpleNamespace(client=lambda _: client, stage=Stage("dev"))
    assert len(functions.roll_back(cast("Deployment", deployment), 1)) == 4
    assert len(client.updated) == 4


def test_rollback_to_a_writer_without_late_logs_fails() -> None:
    client = FakeLambda("ingest/writing/batch.py", "logsite-dev-digests")
    deployment = SimpleNamespace(client=lambda _: client, stage=Stage("dev"))
    with pytest.raises(CommandFailed, match=r'make deploy STAGE=dev SET="Digests=off"$'):
        functions.roll_back(cast("Deployment", deployment), 1)
    assert client.updated == []


def test_file_that_records_late_logs_exists() -> None:
    assert (ROOT / functions.LATE_LOGS).is_file()
