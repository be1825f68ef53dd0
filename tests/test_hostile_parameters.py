"""No name and no value of a parameter is a 500, and messages quote it unchanged."""

import ast
import html
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from logs.characters import visible
from logs.form_fields import FIELDS
from logs.models import ROW_ATTRIBUTES
from tests.api import LOGS, problem, program
from tests.items import make_item, store
from tests.pages import LISTING

pytestmark = pytest.mark.usefixtures("logs_table")

ROOT = Path(__file__).resolve().parent.parent
EXPORT = f"{LISTING}export/"
# Format strings of Python's three kinds, markup, headers, a NUL and a long text.
TEXTS = {
    "percent": "%",
    "percent_s": "%s",
    "unknown_key": "%(x)s",
    "existing_key": "%(name)s",
    "percent_d": "100%d",
    "two_percents": "%%",
    "open_brace": "{",
    "close_brace": "}",
    "format_index": "{0}",
    "format_conversion": "{x!r:>{y}}",
    "template_string": "${x}",
    "markup": "<script>alert(1)</script>",
    "quotes": "\"'><img src=x>",
    "template": "{{ 7 }}{% url 'x' %}",
    "header": "a\r\nSet-Cookie: b=c",
    "nul": "\x00",
    "long": "%" * 900,
    "long_utf_8": "é" * 450,
    "surrogate": "\ud800",
}


def encoded(text: str) -> str:
    """Return a text as part of an address."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def decoded(text: str) -> str:
    """Return the beginning of a text as Django decodes it from an address."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")[:40]


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("address", [f"{LISTING}?", f"{EXPORT}?format=csv&"], ids=["listing", "export"])
def test_page_quotes_the_name_of_a_parameter(viewer_client: Client, address: str, text: str) -> None:
    response = viewer_client.get(f"{address}{encoded(text)}=1")
    assert response.status_code == 400
    page = html.unescape(response.content.decode())
    assert f"There is no filter “{visible(decoded(text))}”" in page


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_api_quotes_the_name_of_a_parameter(text: str) -> None:
    error = problem(program(), f"{LOGS}?{encoded(text)}=1", 400)
    [(name, [message])] = error["fields"].items()
    assert name == decoded(text)
    assert message.startswith(
        f"There is no filter “{visible(name)}”. The filters are: q, case, account_id, type,"
    )
    assert error["message"] == f"{visible(name)}: {message}"


# One parameter for each class of fields.
CLASSES = list({type(field): name for name, field in FIELDS.items()}.values())


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("name", [*CLASSES, "payload.a", "format", "_changelist_filters", "_popup"])
def test_no_value_is_a_server_error(viewer_client: Client, name: str, text: str) -> None:
    assert viewer_client.get(f"{LISTING}?{name}={encoded(text)}").status_code in (200, 400)


@pytest.mark.parametrize("name", FIELDS)
def test_no_format_string_is_a_server_error(viewer_client: Client, name: str) -> None:
    text = encoded("%(name)s {0} \x00")
    assert viewer_client.get(f"{LISTING}?{name}={text}").status_code in (200, 400)


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_no_value_is_a_server_error_of_export_or_api(viewer_client: Client, text: str) -> None:
    """Both read their parameters with the form of the listing."""
    parameters = [f"{name}={encoded(text)}" for name in ("q", "type", "from", "payload_size_min", "cursor")]
    addresses = [f"{EXPORT}?format={encoded(text)}", f"{LOGS}?limit={encoded(text)}"]
    addresses += [
        f"{address}{each}" for address in (f"{EXPORT}?format=csv&", f"{LOGS}?") for each in parameters
    ]
    assert {viewer_client.get(address).status_code for address in addresses} <= {200, 400}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_no_id_is_a_server_error(viewer_client: Client, text: str) -> None:
    for page in ("change", "timelines", "json"):
        assert viewer_client.get(f"{LISTING}{encoded(text)}/{page}/").status_code == 404
    assert viewer_client.get(f"{LOGS}/{encoded(text)}").status_code in (400, 404)
    assert viewer_client.get(f"{LOGS}/{'0' * 32}?{encoded(text)}=1").status_code == 400


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_no_field_of_a_log_is_a_server_error(viewer_client: Client, text: str) -> None:
    text = text.replace("\ud800", "")[:500] or "x"
    names = [name for name in ROW_ATTRIBUTES if name not in ("created_at", "id", "payload_size")]
    store([make_item(1, **dict.fromkeys(names, text), payload=text, payload_type="text")])
    back = urlencode({"_changelist_filters": text})
    for address in (LISTING, f"{EXPORT}?format=csv", f"{EXPORT}?format=ndjson", LOGS):
        assert viewer_client.get(address).status_code == 200
    log = make_item(1).id
    for address in (f"{LISTING}{log}/change/?{back}", f"{LISTING}{log}/timelines/?{back}", f"{LOGS}/{log}"):
        assert viewer_client.get(address).status_code == 200


def test_formatted_messages_are_constants() -> None:
    """A message with `params` is a format string, so it contains no text of a user."""
    violations = []
    for package in ("logs", "logsite"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("ValidationError"):
                    continue
                has_parameters = len(node.args) > 2 or any(each.arg == "params" for each in node.keywords)
                if has_parameters and any(isinstance(each, ast.JoinedStr) for each in ast.walk(node.args[0])):
                    violations.append(f"{path}:{node.lineno}")
    assert violations == []
