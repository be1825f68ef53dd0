"""The header `Link` of the API, and pages as NDJSON."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from logsite.accounts import tokens
from tests.api import LOGS, fetch, problem, program, token_name
from tests.items import make_item, store

pytestmark = pytest.mark.usefixtures("logs_table")

LINK = re.compile(r'<([^<>]+)>; rel="([a-z]+)"(?:, |$)')


def links(response: Any) -> dict[str, str]:
    """Return the addresses of the header by relation. Raise AssertionError for another format."""
    header = response["Link"]
    assert LINK.sub("", header) == ""
    return {relation: address for address, relation in LINK.findall(header)}


def lines(response: Any) -> list[Any]:
    """Return the values of NDJSON, as a reader that splits at any line break."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.decode().splitlines()]


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_links_lead_to_the_end_and_back(form: str) -> None:
    store(make_item(n, account_id="a,b <é>") for n in range(50))
    client = program()
    query = f"?account_id=a,b+%3C%C3%A9%3E&limit=20&format={form}"
    address = f"{LOGS}{query}&at=2026-11-01T00:00:49"
    seen: list[Any] = []
    responses: list[Any] = []
    while address:
        response = client.get(address)
        responses.append(response)
        seen += lines(response) if form == "ndjson" else response.json()["items"]
        address = links(response).get("next", "")
        assert not address or address.startswith("http://testserver/api/logs?")
    assert [log["id"] for log in seen] == [make_item(n).id for n in range(49, -1, -1)]
    assert set(links(responses[1])) == {"next", "previous", "first"}
    first = urlsplit(links(responses[2])["first"])
    assert not {"at", "cursor"} & {pair.split("=")[0] for pair in first.query.split("&")}
    assert client.get(links(responses[2])["first"]).content[:500] == client.get(LOGS + query).content[:500]
    back = client.get(links(responses[2])["previous"])
    items = lines(back) if form == "ndjson" else back.json()["items"]
    assert [log["id"] for log in items] == [make_item(n).id for n in range(29, 9, -1)]
    if form == "json":
        cursor = responses[1].json()["next"]
        assert links(responses[1])["next"].endswith(urlencode({"cursor": cursor}))


def test_ndjson_has_the_logs_of_json() -> None:
    payload = '{"a":\r\n "\u2028\u2029\x85\\n\\u0000</script>\U0001f600"}'
    store(
        make_item(n, url="/\u202e\x85=1+1\u2028", payload=payload, payload_type="json", payload_size=40)
        for n in range(3)
    )
    client = program()
    for include in ("", "&include=payload"):
        response = client.get(f"{LOGS}?format=ndjson{include}")
        assert lines(response) == fetch(client, f"{LOGS}?format=json{include}")["items"]
        assert list(links(response)) == ["first"]
        assert response.content.count(b"\n") == 3
    assert client.head(f"{LOGS}?format=ndjson&limit=1")["Link"].count("rel=") == 2
    assert lines(client.get(f"{LOGS}?format=ndjson&type=nothing")) == []
    [log] = lines(client.get(f"{LOGS}?format=ndjson&q={make_item(1).id}"))
    assert log["id"] == make_item(1).id


def test_errors_of_ndjson_are_json(viewer_client: Client) -> None:
    assert list(problem(program(), f"{LOGS}?format=ndjson&limit=0", 400)["fields"]) == ["limit"]
    assert problem(Client(), f"{LOGS}?format=ndjson", 401)
    assert lines(viewer_client.get(f"{LOGS}?format=ndjson")) == []


def test_long_filter_has_fewer_links() -> None:
    """The header has at most 8,000 bytes. In NDJSON the next page has no other address."""
    value = "x" * 490
    store(make_item(n, type=value) for n in range(3))
    client = program()

    def address(values: int, form: str = "json") -> str:
        types = "".join(f"&type={n}{value}" for n in range(values))
        return f"{LOGS}?limit=1&format={form}&type={value}{types}"

    assert list(links(client.get(address(4)))) == ["next", "first"]
    assert list(links(client.get(address(9)))) == ["next"]
    long = client.get(address(16))
    assert "Link" not in long
    assert long.json()["next"]
    error = problem(client, address(16, "ndjson"), 400)
    assert "the link to the next page exceeds 8,000 bytes" in error["fields"]["format"][0]


def test_shell_example_saves_every_log(site: str, tmp_path: Path) -> None:
    store(make_item(n, account_id="78"[n % 2], payload=f"\u2028{n}", payload_type="text") for n in range(500))
    page = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text()
    [command] = re.findall(r"^```sh\n(url=.+?)^```", page, re.MULTILINE | re.DOTALL)
    environment = os.environ | {"TOKEN": tokens.create(token_name())}
    subprocess.run(
        ["sh", "-euc", command.replace("https://logs.example.com", site)],
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=60,
    )
    saved = [json.loads(line) for line in (tmp_path / "logs.ndjson").read_text().splitlines()]
    assert [log["payload"] for log in saved] == [f"\u2028{n}" for n in range(498, -1, -2)]
