"""Objects of any library as JSON objects and arrays, one level deep."""

import math
from argparse import Namespace
from collections import UserString
from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice
from types import SimpleNamespace
from typing import Any

from ingest.sending import multi_values, pydantic_models, tracebacks
from ingest.sending.classes import class_of, has, is_named
from ingest.sending.texts import text_of

# A QuerySet may have millions of rows. The database reads one more than these.
MAX_ROWS = 1_000

UPLOADS = (
    "django.core.files.uploadedfile.UploadedFile",
    "werkzeug.datastructures.file_storage.FileStorage",
    "starlette.datastructures.UploadFile",
)


@dataclass(frozen=True)
class Members:
    """The members of a JSON object, as pairs of name and value. A name may occur several times."""

    pairs: Iterable[tuple[Any, Any]]
    size: int


@dataclass(frozen=True)
class Elements:
    """The elements of a JSON array. `rest` is a note on those that are left out."""

    values: Iterable[Any]
    size: int
    rest: str = ""


@dataclass(frozen=True)
class Replacement:
    """Another value that represents the object."""

    value: Any


Structure = Members | Elements | Replacement


def structure_of(value: Any) -> Structure | None:
    """Return the structure of an object, or None if it has only a text.

    Iterators and files are not read. Raise any exception if a container cannot be read.
    """
    if type(value) is dict:
        return Members(value.items(), len(value))
    if type(value) in (list, tuple, set, frozenset):
        return Elements(value, len(value))
    if type(value) is Members:
        return value
    if issubclass(type(value), BaseException):  # no mock of one, whose traceback never ends
        return _members(tracebacks.members(value))
    cls: Any = class_of(value)
    if convert := _converter(cls):
        # The text remains for an object with a method that raises.
        with suppress(Exception):
            return convert(value)
    return _container(value, cls)


@lru_cache(maxsize=500)
def _converter(cls: Any) -> Callable[[Any], Structure] | None:
    """Return the function that converts objects of a class, or None."""
    return next((convert for matches, convert in _OBJECTS if matches(cls)), None)


def _container(value: Any, cls: type[Any]) -> Structure | None:
    if issubclass(cls, UserString):
        return Replacement(str(value))
    if multi_values.is_multi_valued(cls):
        if has(cls, "get_payload") and value.get_payload():
            return None  # an e-mail with its body: its text has more than the headers
        pairs = multi_values.pairs(value, cls)
        return Members(pairs, len(pairs))
    if issubclass(cls, Mapping):
        return Members(value.items(), len(value))
    if issubclass(cls, Sequence) and has(cls, "keys"):  # a row of sqlite3 or psycopg2
        return Members(zip(value.keys(), value, strict=False), len(value))
    if issubclass(cls, Sequence | Set | MappingView):
        return Elements(value, len(value))
    return None


def _members(pairs: dict[str, Any]) -> Members:
    return Members(pairs.items(), len(pairs))


def _attributes(value: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return attributes by name. A note replaces an attribute that raises."""
    result = {}
    for name in names:
        try:
            result[name] = getattr(value, name)
        except Exception as error:  # noqa: BLE001  the other attributes remain
            result[name] = f"({type(error).__name__}, cannot be read)"
    return result


def _dataclass(value: Any) -> Members:
    # The fields that the text of the object hides may be secrets.
    return _members(_attributes(value, [field.name for field in fields(value) if field.repr]))


def _attrs(value: Any) -> Members:
    attributes = {each.name: each.repr for each in class_of(value).__attrs_attrs__ if each.repr}
    result = _attributes(value, attributes)
    # `repr` may be a function that masks the value.
    return _members(
        {name: show(result[name]) if callable(show := attributes[name]) else result[name] for name in result}
    )


def _struct(value: Any) -> Members:
    return _members(_attributes(value, class_of(value).__struct_fields__))


def _named_tuple(value: Any) -> Members:
    return Members(zip(value._fields, value, strict=False), len(value))


def _namespace(value: Any) -> Members:
    return _members(dict(vars(value)))


def _cookie(value: Any) -> Members:
    """Return a cookie of `http.cookies`: key, value and the attributes that are set."""
    attributes = {name: item for name, item in value.items() if item != ""}
    return _members({"key": value.key, "value": value.value} | attributes)


def _query_set(value: Any) -> Elements:
    """Return the rows of a QuerySet. If it is not evaluated yet, this costs one query."""
    cache = getattr(value, "_result_cache", None)
    return _rows(list(value[: MAX_ROWS + 1]) if cache is None else cache, is_whole=cache is not None)


def _raw_query_set(value: Any) -> Structure:
    """Return the rows of a RawQuerySet, or its text if its SQL may change data and was not executed yet."""
    cache = value._result_cache
    if cache is None and str(value.raw_query).lstrip("( \t\r\n")[:6].upper() != "SELECT":
        return Replacement(text_of(value))
    # A slice of it would keep all rows in memory.
    rows = list(islice(value.iterator(), MAX_ROWS + 1)) if cache is None else cache
    return _rows(rows, is_whole=cache is not None)


def _rows(rows: list[Any], *, is_whole: bool) -> Elements:
    rest = len(rows) - MAX_ROWS
    if rest <= 0:
        return Elements(rows, len(rows))
    note = f"({rest:,} more rows are left out)" if is_whole else "(more rows are left out)"
    return Elements(rows[:MAX_ROWS], MAX_ROWS, note)


def _django_model(value: Any) -> Members:
    # Without the other fields: one of them may be a password hash, a token or a deferred field.
    return _members({"model": value._meta.label_lower, "pk": value.pk, "text": text_of(value)})


def _form(value: Any) -> Members:
    # Without the data, which may include a password. `_errors` is None if the form was not validated.
    return _members({"form": tracebacks.class_name(class_of(value)), "errors": value._errors})


def _upload(value: Any) -> Members:
    names = {"name": getattr(value, "filename", None) or getattr(value, "name", None)}
    others = {name: getattr(value, name, None) for name in ("size", "content_type")}
    return _members(names | {name: item for name, item in others.items() if item is not None})


def _array(value: Any) -> Structure:
    """Return an array or a scalar of NumPy, or an object with the same methods."""
    is_time = getattr(value.dtype, "kind", "") in ("m", "M")  # as integers they would lose their unit
    if not value.shape:
        item = str(value) if is_time else value.item()
        return Replacement(str(value) if type(item) is type(value) else item)
    read = value.astype(str).tolist if is_time else value.tolist
    return Elements(_lazily(read), math.prod(value.shape))


def _data_frame(value: Any) -> Elements:
    names = list(value.columns)

    def rows() -> Iterable[Members]:
        for row in value.itertuples(index=False, name=None):
            yield Members(zip(names, row, strict=False), len(names))

    return Elements(_lazily(rows), math.prod(value.shape))


def _lazily(read: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Yield the values that `read` returns. Call it only if they are needed."""
    yield from read()


_OBJECTS: list[tuple[Callable[[type[Any]], bool], Callable[[Any], Structure]]] = [
    (lambda cls: is_named(cls, "http.cookies.Morsel"), _cookie),
    (lambda cls: is_named(cls, "django.db.models.query.QuerySet"), _query_set),
    (lambda cls: is_named(cls, "django.db.models.query.RawQuerySet"), _raw_query_set),
    (
        lambda cls: is_named(cls, "django.db.models.manager.BaseManager"),
        lambda value: _query_set(value.all()),
    ),
    (lambda cls: is_named(cls, "django.db.models.base.Model"), _django_model),
    (lambda cls: is_named(cls, "django.forms.forms.BaseForm", "django.forms.formsets.BaseFormSet"), _form),
    (lambda cls: is_named(cls, *UPLOADS), _upload),
    (lambda cls: has(cls, "__dataclass_fields__"), _dataclass),
    (lambda cls: has(cls, "__attrs_attrs__"), _attrs),
    (lambda cls: has(cls, "model_dump"), lambda value: Replacement(pydantic_models.dump(value))),
    (lambda cls: has(cls, "__fields__", "dict"), lambda value: Replacement(pydantic_models.dump_v1(value))),
    (lambda cls: has(cls, "__struct_fields__"), _struct),
    (lambda cls: has(cls, "_fields", "_asdict"), _named_tuple),
    (lambda cls: has(cls, "dtype", "shape", "tolist"), _array),
    (lambda cls: has(cls, "columns", "shape", "itertuples"), _data_frame),
    (lambda cls: issubclass(cls, SimpleNamespace | Namespace), _namespace),
]
