"""Structured objects of Python and its libraries become structured JSON, without running wild."""

import io
import time
from argparse import Namespace
from collections import UserList
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import MagicMock, Mock

import attr
import pydantic
import pydantic.v1
import pytest
from django import forms
from django.http import HttpResponse, QueryDict
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from werkzeug.local import LocalProxy

from ingest.sending import outgoing, value_limit
from ingest.sending.serialize import MAX_VALUES, to_jsonable
from tests.factories import make_fields
from tests.test_multi_values import sent
from tests.test_value_limit import laughs


@dataclass
class Item:
    name: str
    secret: str = field(default="hidden", repr=False)
    parts: list[Any] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: list[Any]


@attr.define
class Card:
    owner: str
    number: str = attr.field(default="4242", repr=lambda value: f"…{value[-2:]}")
    pin: str = attr.field(default="hidden", repr=False)


class Child(pydantic.BaseModel):
    name: str
    pin: str = pydantic.Field(default="hidden", repr=False)


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    number: int
    children: list[Child] = []
    form: Any = None
    token: pydantic.SecretStr = pydantic.SecretStr("hidden")
    internal: str = pydantic.Field(default="hidden", exclude=True)


class Masked(pydantic.BaseModel):
    card: str

    @pydantic.field_serializer("card")
    def mask(self, value: str) -> str:
        return f"…{value[-2:]}"


class Children(pydantic.RootModel[list[Child]]):
    pass


class Old(pydantic.v1.BaseModel):
    number: int
    child: Any = None


class Struct:
    """As in msgspec."""

    __struct_fields__ = ("a", "b")

    def __init__(self) -> None:
        self.a, self.b = 1, {2}


class Array:
    """As in NumPy and pandas."""

    def __init__(self, values: Any, shape: tuple[int, ...], kind: str = "i") -> None:
        self._values, self._shape, self._kind = values, shape, kind

    @property
    def dtype(self) -> Any:
        return SimpleNamespace(kind=self._kind)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    def item(self) -> Any:
        return self._values

    def tolist(self) -> Any:
        return self._values

    def astype(self, kind: type[str]) -> "Array":
        return Array([kind(value) for value in self._values], self._shape)

    def __str__(self) -> str:
        return f"array {self._values}"


class Frame:
    """As in pandas."""

    columns = ("a", "a", "b")
    shape = (2, 3)

    def itertuples(self, *, index: bool, name: str | None) -> Iterator[tuple[Any, ...]]:
        assert (index, name) == (False, None)
        return iter([(1, 2, 3), (4, 5, 6)])


class Moment:
    """As in Arrow."""

    def __str__(self) -> str:
        return "2026-01-02T03:00:00+00:00"


# Not a class statement, which the type checker's plugin for Django cannot analyze here.
Form: Any = type(
    "Form", (forms.Form,), {"__module__": __name__, "name": forms.CharField(), "password": forms.CharField()}
)


def invalid_form() -> Any:
    form = Form({"password": "hidden"})
    form.is_valid()
    return form


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Item("a", parts=[Item("b")]), {"name": "a", "parts": [{"name": "b", "parts": []}]}),
        (Point(1, [Point(2, [])]), {"x": 1, "y": [{"x": 2, "y": []}]}),
        (Card("anna"), {"owner": "anna", "number": "…42"}),
        (
            Order(number=1, children=[Child(name="a")], form=QueryDict("a=1&a=2"), more={3}),  # type: ignore[call-arg]
            {
                "number": 1,
                "children": [{"name": "a"}],
                "form": {"a": ["1", "2"]},
                "token": "**********",
                "more": [3],
            },
        ),
        (Masked(card="4242"), {"card": "…42"}),
        (Children([Child(name="a")]), [{"name": "a"}]),
        (Old(number=1, child=Old(number=2)), {"number": 1, "child": {"number": 2, "child": None}}),
        (Struct(), {"a": 1, "b": [2]}),
        (SimpleNamespace(a=Item("b")), {"a": {"name": "b", "parts": []}}),
        (Namespace(a=1), {"a": 1}),
        (UserList([1]), [1]),
        (Array([[1, 2]], (1, 2)), [[1, 2]]),
        (Array(7, ()), 7),
        (Array(7, (), "M"), "array 7"),
        (Array([7, 8], (2,), "M"), ["7", "8"]),
        (Frame(), [{"a": [1, 2], "b": 3}, {"a": [4, 5], "b": 6}]),
        (Moment(), "2026-01-02T03:00:00+00:00"),
        (gettext_lazy("Yes"), "Yes"),
        (SimpleLazyObject(lambda: Item("a")), {"name": "a", "parts": []}),
        (LocalProxy(lambda: {"a": 1}), {"a": 1}),
        (LocalProxy(lambda: QueryDict("a=1&a=2")), {"a": ["1", "2"]}),
        (invalid_form().errors, {"name": ["This field is required."]}),
        (
            invalid_form(),
            {"form": "tests.test_structures.Form", "errors": {"name": ["This field is required."]}},
        ),
        (Item, "<class 'tests.test_structures.Item'>"),
    ],
)
def test_structured_object_becomes_structured_json(value: Any, expected: Any) -> None:
    assert sent(value) == expected
    assert sent({"deep": [value, 1]}) == {"deep": [expected, 1]}


def cookies(text: str, **attributes: Any) -> SimpleCookie:
    result = SimpleCookie(text)
    for cookie in result.values():
        cookie.update({name.replace("_", "-"): value for name, value in attributes.items()})
    return result


SESSION = {"key": "session", "value": "abc"}
THEME = {"key": "theme", "value": "dark"}


def response_cookies() -> Any:
    response = HttpResponse()
    response.set_cookie("session", "abc", max_age=0, path="/shop", secure=True, samesite="Lax")
    del response.cookies["session"]["expires"]
    return response.cookies


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (cookies("session=abc; theme=dark"), {"session": SESSION, "theme": THEME}),
        (cookies("session=abc")["session"], SESSION),
        (cookies('session="a b"')["session"], SESSION | {"value": "a b"}),
        (cookies("session=abc", httponly=True).values(), [SESSION | {"httponly": True}]),
        (
            cookies("session=", path="/", max_age=0),
            {"session": SESSION | {"value": "", "path": "/", "max-age": 0}},
        ),
        (cookies("session=abc; Path=/; Secure"), {"session": SESSION | {"path": "/", "secure": True}}),
        (
            response_cookies(),
            {"session": SESSION | {"max-age": 0, "path": "/shop", "secure": True, "samesite": "Lax"}},
        ),
        (SimpleCookie(), {}),
        (Morsel(), {"key": None, "value": None}),
    ],
)
def test_cookies_keep_their_values(value: Any, expected: Any) -> None:
    assert sent(value) == expected
    assert sent({"deep": [value]}) == {"deep": [expected]}


@pytest.mark.parametrize(
    "make", [lambda: (number for number in range(3)), lambda: io.StringIO("a\nb\nc"), lambda: iter([1, 2, 3])]
)
def test_iterators_and_files_are_not_read(make: Callable[[], Any]) -> None:
    value = make()
    assert " at 0x" in sent([value])[0]
    assert len(list(value)) == 3


@pytest.mark.parametrize(
    "spec", [None, dict, list, str, int, float, bytes, ValueError, QueryDict, Item, Order, Card, Form]
)
@pytest.mark.parametrize("kind", [Mock, MagicMock])
def test_mocks_are_harmless(kind: type[Mock], spec: Any) -> None:
    value = kind(spec=spec) if spec else kind()
    assert len(str(sent({"value": [value]}))) < 1_000


class Anything:
    """Has any attribute, and each can be called."""

    def __getattr__(self, name: str) -> "Anything":
        return self

    def __call__(self, *args: object, **options: object) -> "Anything":
        return self


def no_class() -> Any:
    class NoClass:
        @property  # type: ignore[misc]  # wrong on purpose
        def __class__(self) -> Any:
            raise RuntimeError("no class")

    return NoClass()


class NoField(NamedTuple):
    x: int

    def __iter__(self) -> Any:
        raise RuntimeError("no field")


@dataclass
class NoValue:
    a: int

    def __getattribute__(self, name: str) -> Any:
        if name == "a":
            raise RuntimeError("no value")
        return super().__getattribute__(name)


class BrokenModel(pydantic.BaseModel):
    a: int

    @pydantic.field_serializer("a")
    def fail(self, value: int) -> int:
        raise RuntimeError("no value")


# Functions, because pytest inspects the classes of parameters.
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Anything, "Anything object at"),
        (no_class, "(NoClass, which has no text)"),
        (lambda: NoField(1), "(NoField, which cannot be read)"),
        (lambda: NoValue(1), "{'a': '(RuntimeError, cannot be read)'}"),
        (lambda: BrokenModel(a=1), "{'a': 1}"),
        (lambda: LocalProxy(no_class), "(LocalProxy, which has no text)"),
        (lambda: LocalProxy(lambda: 1 / 0), "(LocalProxy, which has no text)"),
    ],
)
def test_objects_that_raise_are_harmless(make: Callable[[], Any], text: str) -> None:
    result = sent({"value": make(), "rest": 1})
    assert text in str(result["value"])
    assert result["rest"] == 1


class EndlessMapping(Mapping[str, int]):
    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield str(number)

    def __getitem__(self, name: str) -> int:
        return 1


class EndlessSequence(Sequence[int]):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        return index


class EndlessForm(EndlessMapping):
    def lists(self) -> Iterator[tuple[str, list[int]]]:
        return ((name, [1]) for name in self)


@pytest.mark.parametrize("kind", [EndlessMapping, EndlessSequence])
def test_endless_containers_end(kind: type[Any], caplog: pytest.LogCaptureFixture) -> None:
    fields = outgoing.prepare(make_fields(payload={"value": kind(), "rest": 1}), strict=False).fields
    assert fields["payload"] == {"value": f"({kind.__name__} of more than 1 values, too many)", "rest": 1}
    assert "was truncated" in caplog.text


def repeated(levels: int) -> Any:
    return Order(number=1, form=laughs(levels))


def test_objects_are_limited_as_lists_are(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(value_limit, "MAX_OBJECT_VALUES", 5_000)
    monkeypatch.setattr(value_limit, "MAX_VALUES", 5_000)
    for payload in (repeated(4), [Item("a", parts=laughs(4))], [Card("a")] * 3_000_000, Array(0, (9**9,))):
        fields = outgoing.prepare(make_fields(payload=payload), strict=False).fields
        assert "too many" in str(fields["payload"])
    assert caplog.text.count("was truncated") == 4


def test_many_values_with_an_object_are_sent_as_text() -> None:
    payload = [Point(number, []) for number in range(MAX_VALUES // 4 + 1)]
    fields = outgoing.prepare(make_fields(payload=payload), strict=False).fields
    assert fields["payload"].endswith('{"x":25000,"y":[]}]')


def test_object_that_refers_to_itself_ends() -> None:
    item, order = Item("a"), Order(number=1)
    item.parts.append(item)
    order.form = order
    for value in (item, order):
        assert "too deep" in str(to_jsonable(value))


def test_plain_fields_are_not_converted() -> None:
    class Silent(str):
        def __str__(self) -> str:
            raise AssertionError

    payload = {"a": [1, 2.5, None, True, {"b": "c"}], "at": time.time()}
    assert sent(payload) == payload
    assert sent({"a": Silent("b")}) == {"a": "b"}
