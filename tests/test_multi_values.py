"""Mappings with several values per key keep all values, wherever they are in a log."""

import email.message
import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPMessage
from typing import Any
from wsgiref.headers import Headers as WsgiHeaders

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict
from urllib3 import HTTPHeaderDict
from werkzeug.datastructures import CombinedMultiDict, FileStorage, Headers, ImmutableMultiDict, MultiDict

from ingest.sending import outgoing
from ingest.testing import RecordingClient
from tests.factories import make_fields

PAIRS = [("size", "S"), ("size", "M"), ("colour", "red"), ("size", "L")]
VALUES = {"size": ["S", "M", "L"], "colour": "red"}


class ManyItems(Mapping[str, str]):
    """As in multidict and WebOb: `items` returns every pair."""

    def __init__(self, pairs: list[tuple[str, str]] = PAIRS) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        return self.getall(name)[0]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def items(self) -> Any:
        return list(self._pairs)

    def getall(self, name: str) -> list[str]:
        return [value for each, value in self._pairs if each == name]


class OneItem(ManyItems):
    """As in Starlette, HTTPX, Bottle and Tornado: `items` returns one pair of each key."""

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def items(self) -> Any:
        return dict(self._pairs).items()


class Pairs(OneItem):
    def multi_items(self) -> list[tuple[str, str]]:
        return self._pairs

    getall = property()  # Starlette has no such method


class Tornado(OneItem):
    get_list = OneItem.getall

    def get_all(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


class FieldStorage:
    """As in `cgi`, which is no Mapping."""

    def keys(self) -> list[str]:
        return list(dict(PAIRS))

    def getlist(self, name: str) -> list[str]:
        return [value for each, value in PAIRS if each == name]

    def __getitem__(self, name: str) -> str:
        raise RuntimeError(f"{name} is read by getlist only")


class OtherLists(dict[str, int]):
    """A dictionary whose methods have these names by chance."""

    def lists(self) -> int:
        return 5

    def getlist(self) -> int:
        return 5


def message(kind: type[email.message.Message]) -> email.message.Message:
    headers = kind()
    for name, value in PAIRS:
        headers[name] = value
    return headers


def header_dict() -> HTTPHeaderDict:
    headers = HTTPHeaderDict()
    for name, value in PAIRS:
        headers.add(name, value)
    return headers


MULTI_VALUED: dict[str, Callable[[], Any]] = {
    "query_dict": lambda: QueryDict("size=S&size=M&colour=red&size=L"),
    "mutable_query_dict": lambda: QueryDict("size=S&size=M&colour=red&size=L", mutable=True),
    "request": lambda: RequestFactory().post("/", {"size": ["S", "M", "L"], "colour": "red"}).POST,
    "multi_value_dict": lambda: MultiValueDict({"size": ["S", "M", "L"], "colour": ["red"]}),
    "werkzeug": lambda: MultiDict(PAIRS),
    "immutable": lambda: ImmutableMultiDict(PAIRS),
    "combined": lambda: CombinedMultiDict([MultiDict(PAIRS[:2]), MultiDict(PAIRS[2:])]),
    "headers": lambda: Headers(PAIRS),
    "email": lambda: message(email.message.Message),
    "http_client": lambda: message(HTTPMessage),
    "urllib3": header_dict,
    "wsgiref": lambda: WsgiHeaders(PAIRS.copy()),
    "many_items": ManyItems,
    "one_item": OneItem,
    "pairs": Pairs,
    "tornado": Tornado,
    "cgi": FieldStorage,
}


def sent(payload: Any) -> Any:
    return outgoing.prepare(make_fields(payload=payload), strict=True).fields["payload"]


@pytest.mark.parametrize("name", MULTI_VALUED)
def test_all_values_of_a_key_are_sent(name: str) -> None:
    make = MULTI_VALUED[name]
    assert sent(make()) == VALUES
    assert sent({"form": [make(), (1, make())]}) == {"form": [VALUES, [1, VALUES]]}


class CaseInsensitive(ManyItems):
    """As CIMultiDict of multidict."""

    def getall(self, name: str) -> list[str]:
        return [value for each, value in self._pairs if each.lower() == name.lower()]


def http_message(pairs: list[tuple[str, str]]) -> HTTPMessage:
    headers = HTTPMessage()
    for name, value in pairs:
        headers[name] = value
    return headers


@pytest.mark.parametrize(
    "make", [http_message, Headers, WsgiHeaders, CaseInsensitive, MultiDict, ManyItems, OneItem]
)
@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("Set-Cookie", "a"), ("set-cookie", "b")], {"Set-Cookie": "a", "set-cookie": "b"}),
        ([("A", "1"), ("a", "2"), ("B", "3")], {"A": "1", "a": "2", "B": "3"}),
        ([("X-a", "1"), ("x-A", "1"), ("X-A", "1")], {"X-a": "1", "x-A": "1", "X-A": "1"}),
        ([("A", "1"), ("a", "2"), ("A", "3")], {"A": ["1", "3"], "a": "2"}),
        ([("a", "2"), ("A", "1"), ("A", "3"), ("b", "4")], {"a": "2", "A": ["1", "3"], "b": "4"}),
    ],
)
def test_each_spelling_of_a_name_has_its_values(
    make: Callable[[Any], Any], pairs: list[tuple[str, str]], expected: dict[str, Any]
) -> None:
    assert sent(make(pairs)) == expected


def test_values_of_names_that_differ_in_case_are_all_sent() -> None:
    assert sent(QueryDict("a=1&a=2&A=1&A=3")) == {"a": ["1", "2"], "A": ["1", "3"]}
    assert sent(MultiDict([("a", "1"), ("a", "2"), ("A", "1"), ("A", "2")])) == {
        "a": ["1", "2"],
        "A": ["1", "2"],
    }


def test_all_values_are_sent_in_any_field_and_by_every_call() -> None:
    form = QueryDict("size=S&size=M")
    with RecordingClient() as client:
        client.enqueue(**make_fields(form=form))
        client.enqueue_many([make_fields(form={"deep": form})])
    assert client.logs[0]["form"] == {"size": ["S", "M"]}
    assert client.logs[1]["form"] == {"deep": {"size": ["S", "M"]}}


def test_key_without_values_has_an_empty_list() -> None:
    assert sent(MultiValueDict({"none": [], "one": [""]})) == {"none": [], "one": ""}


def test_uploads_are_described_and_not_read() -> None:
    first = SimpleUploadedFile("a.txt", b"first", "text/plain")
    files = MultiValueDict({"photo": [first, SimpleUploadedFile("b.txt", b"2", "text/html")]})
    assert sent(files) == {
        "photo": [
            {"name": "a.txt", "size": 5, "content_type": "text/plain"},
            {"name": "b.txt", "size": 1, "content_type": "text/html"},
        ]
    }
    assert first.read() == b"first"
    storage = FileStorage(io.BytesIO(b"x"), filename="c.txt", content_type="text/plain")
    assert sent([storage]) == [{"name": "c.txt", "content_type": "text/plain"}]


def test_headers_of_a_request_are_an_object() -> None:
    request = RequestFactory(headers={"X-Shop": "a, b"}).get("/")
    assert sent(request.headers)["X-Shop"] == "a, b"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: "a", "1": "b"}, {"1": ["a", "b"]}),
        ({None: "a", "null": "b"}, {"null": ["a", "b"]}),
        ({"deep": [{1.5: "a", "1.5": ["b"]}]}, {"deep": [{"1.5": ["a", ["b"]]}]}),
    ],
)
def test_keys_of_one_text_keep_their_values(value: Any, expected: Any) -> None:
    assert sent(value) == expected


def test_columns_of_one_name_keep_their_values() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("SELECT 1 AS id, 'a' AS name, 2 AS id").fetchall()
    connection.close()
    assert sent(rows) == [{"id": [1, 2], "name": "a"}]


def test_methods_of_another_meaning_do_not_matter() -> None:
    assert sent([OtherLists(a=1)]) == [{"a": 1}]


def test_email_with_a_body_stays_text() -> None:
    mail = email.message_from_string("To: a@example.com\n\nHello")
    assert sent(mail) == "To: a@example.com\n\nHello"
