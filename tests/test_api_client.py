"""A client that openapi-python-client generates from the schema of the API."""

import json
import re
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from logsite.accounts import tokens
from tests.api import fetch, program, token_name
from tests.items import START, make_item, store

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text()
SECTION = PAGE.split("\n## A generated client\n")[1].split("\n## ")[0]
HOST = "logs.example.com"


@pytest.fixture
def example(
    logs_table: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> dict[str, Any]:
    """Generate the client by the command of the page. Return the globals of its example."""
    # Their imports take longer than the collection of a hundred tests.
    from openapi_python_client.cli import app
    from typer.testing import CliRunner

    settings.ALLOWED_HOSTS = [HOST, "testserver"]
    monkeypatch.setenv("TOKEN", tokens.create(token_name()))
    # The generator formats its code by ruff.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.chdir(tmp_path)
    Path("openapi.json").write_text(json.dumps(fetch(program(), "/api/openapi.json")))
    command = re.search(r"^openapi-python-client (generate .+)$", SECTION, re.MULTILINE)
    assert command
    result = CliRunner().invoke(app, [*shlex.split(command[1]), "--fail-on-warning"])
    assert result.exit_code == 0, result.output
    monkeypatch.syspath_prepend(tmp_path)
    return {"__name__": "example", "TRANSPORT": httpx.WSGITransport(app=get_wsgi_application())}


def test_generated_client_reads_logs(example: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    store(
        make_item(n, account_id="78"[n % 2], payload=f'{{"n":{n}}}', payload_type="json", payload_size=8)
        for n in range(300)
    )
    source = re.findall(r"^```python\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)[0]
    token = 'token=os.environ["TOKEN"]'
    assert token in source
    exec(source.replace(token, f'{token}, httpx_args={{"transport": TRANSPORT}}'), example)  # noqa: S102  the example
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{make_item(298).created_at:%Y-%m-%dT%H:%M:%S}.000000+00:00 login {{'n': 298}}"
    assert [json.loads(line.split("login ")[1].replace("'", '"'))["n"] for line in lines] == list(
        range(298, -1, -2)
    )

    client, models = example["client"], import_module("logsite_client.models")
    calls = {
        name: import_module(f"logsite_client.api.logs.{name}").sync
        for name in ("list_logs", "get_log", "count_logs", "group_logs")
    }
    page = calls["list_logs"](client=client, not_account_id=["7"], order=models.ListLogsOrder.OLDEST, limit=2)
    assert [type(item) for item in page.items] == [models.LogInList] * 2
    assert [item.id for item in page.items] == [make_item(1).id, make_item(3).id]
    assert (page.complete, page.index, page.rejected) == (True, "SortingIndex", None)
    log = calls["get_log"](make_item(1).id, client=client)
    assert isinstance(log, models.Log)
    assert (log.payload, log.damage, log.extra.to_dict()) == ({"n": 1}, None, {})
    counts = calls["count_logs"](client=client, type_=["login"], from_=f"{START:%Y-%m-%d}", to="2026-11-02")
    assert (counts.bucket, counts.total.count) == (models.Bucket.HOUR, 300)
    groups = calls["group_logs"](client=client, field=models.GroupLogsField.ACCOUNT_ID)
    assert [(group.value, group.count, group.exact) for group in groups.groups] == [
        ("7", 150, True),
        ("8", 150, True),
    ]
    error = calls["list_logs"](client=client, limit=201)
    assert isinstance(error, models.Error)
    assert error.error.code == "bad_request"
    assert "from 1 to 200" in error.error.fields["limit"][0]
    assert calls["get_log"]("0" * 32, client=client).error.code == "not_found"
