"""The schemas of the JSON API, and how pages and logs become JSON."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from django import forms
from ninja import Schema
from pydantic import Field, create_model
from pynamodb.attributes import NumberAttribute

from logs import times
from logs.api_form import API_NAMES
from logs.cursor import encode
from logs.fields import MAX_BYTES, OFF, ON, FlagField, IdField, MomentField, ValuesField
from logs.filters import FILTERS, Source
from logs.json_path import MAX_VALUES
from logs.list_form import ListForm
from logs.models import ROW_ATTRIBUTES, Context, LogItem
from logs.pages import sentence
from logs.pages.display import NO_LOG_HAS_ID
from logs.plan import Position
from logs.reader import IdSearch, PageResult
from logs.reading.budget import Cost
from logs.storage import documents
from logs.storage.documents import Content

TIME = Field(description="UTC, six decimals", examples=["2026-11-23T22:44:00.123456+00:00"])


FIELDS = {
    "id": Field(description="32 hex digits"),
    "created_at": TIME,
    "payload_size": Field(description="bytes"),
}


def _row_fields() -> dict[str, Any]:
    """Return the fields of a log in a list, typed as the attributes that the indexes project."""
    attributes = {**Context.get_attributes(), **LogItem.get_attributes()}
    types: dict[str, Any] = {}
    for name in ROW_ATTRIBUTES:
        kind: Any = int if isinstance(attributes[name], NumberAttribute) else str
        types[name] = (kind | None if attributes[name].null else kind, FIELDS.get(name, Field()))
    return types


if TYPE_CHECKING:
    LogInList = Schema  # a type checker cannot see the fields
else:
    LogInList = create_model(
        "LogInList",
        __base__=Schema,
        __doc__="A log in a list. A text over 1,024 bytes is truncated and ends in “…”.",
        **_row_fields(),
    )


class Rejection(Schema):
    """Why a message is in the dead-letter queue."""

    error_code: str
    error_fields: list[str] = Field(description="the names of the invalid fields")
    rejected_at: str = TIME


class Log(LogInList):
    """A whole log. A log of megabytes must be requested with `Accept-Encoding: gzip`."""

    submitter_agent: str | None
    payload: Any = Field(description="as sent: a text, or any JSON value")
    payload_type: str | None = Field(description="text or json; null without a payload")
    extra: dict[str, Any] = Field(description="the fields of the message that Logsite does not know")
    sent_created_at: str | None = Field(description="the time as sent, if the sender's clock was wrong")
    received_at: str = TIME
    imported_at: str | None = Field(description="when `import_logs` wrote the log; null for other logs")
    expires_at: str | None
    sender: str | None = Field(description="SQS's SenderId")
    status: str = Field(description="the partition key of SortingIndex")
    damage: str | None = Field(description="why parts of the log are lost; null if it is whole")


class LogPage(Schema):
    """A page of logs in the order of the filter, and its cost."""

    items: list[Log | LogInList] = Field(description="whole logs with `include=payload`")
    next: str | None = Field(description="the cursor of the next page; null at the end")
    previous: str | None = Field(description="the cursor of the previous page; null at the beginning")
    index: str | None = Field(
        description="the index that was read, or `digests`; null if `q` was the ID of a log"
    )
    examined: int = Field(description="how many items DynamoDB read, and logs whose digests were searched")
    complete: bool = Field(
        description="false if the budget or the size of the response ended the page: it may be empty, and "
        "`next` continues it"
    )
    reached: str | None = Field(description="the time of the last item examined, if not complete")
    sentence: str = Field(description="the filter in words")
    note: str | None = Field(
        description="set if `q` is an ID that no log has: which logs these are; null otherwise"
    )
    rejected: Rejection | None = Field(
        description="why a message with the ID in `q` was rejected; null otherwise, and 14 days afterwards"
    )
    queries: int
    read_units: float
    milliseconds: int


# The response with a page beside LogPage, as OpenAPI describes it.
PAGE_RESPONSE = {
    "headers": {
        "Link": {
            "description": "The pages next to this one (RFC 8288), with the relations `next`, `previous` and "
            "`first`, up to 8,000 bytes.",
            "schema": {"type": "string"},
        }
    },
    "content": {"application/x-ndjson": {}},
}


class Problem(Schema):
    """An error."""

    code: str
    message: str
    fields: dict[str, list[str]] = Field(description="the errors by parameter; may be empty")


class Error(Schema):
    """The body of every response that is not 200."""

    error: Problem


def details(result: PageResult, cost: Cost, search: IdSearch | None = None) -> dict[str, Any]:
    """Return a page as LogPage describes it, without its items.

    `cost` is that of the whole request. `search` is the result of a search for an id that no log has.
    """
    page = result.page

    def cursor(position: Position | None) -> str | None:
        return encode(position, result.plan) if position else None

    return {
        "next": cursor(page.next),
        "previous": cursor(page.previous),
        "index": result.plan.path,
        "complete": page.complete,
        "reached": times.to_text(page.reached) if page.reached else None,
        "sentence": sentence.sentence(result.plan),
        "note": NO_LOG_HAS_ID if search else None,
        "rejected": _rejection(search),
        **costs(cost),
    }


def details_of_one(item: LogItem, cost: Cost, search: IdSearch) -> dict[str, Any]:
    """Return the page of the log that `q` names, without its items."""
    nulls = dict.fromkeys(("next", "previous", "index", "reached", "note"))
    return {
        **nulls,
        "complete": True,
        "sentence": f"The log {item.id}.",
        "rejected": _rejection(search),
        **costs(cost),
    }


def _rejection(search: IdSearch | None) -> dict[str, Any] | None:
    """Return why a message was rejected, as Rejection describes it."""
    if search is None or (item := search.rejection) is None:
        return None
    return {
        "error_code": item.error_code,
        "error_fields": item.error_fields,
        "rejected_at": times.to_text(item.rejected_at),
    }


def costs(cost: Cost) -> dict[str, Any]:
    """Return a measured cost as LogPage describes it."""
    return {
        "examined": cost.inspected,
        "queries": cost.queries,
        "read_units": cost.read_units,
        "milliseconds": round(cost.seconds * 1000),
    }


def in_list(item: LogItem) -> dict[str, Any]:
    """Return a log as LogInList describes it."""
    values = {name: getattr(item, name) for name in ROW_ATTRIBUTES}
    return {**values, "created_at": times.to_text(item.created_at)}


def whole(item: LogItem) -> str:
    """Return a log that was read by its id, as JSON that Log describes."""
    content = documents.content(item)
    return documents.with_values(whole_fields(item, content), content)


def whole_fields(item: LogItem, content: Content) -> dict[str, Any]:
    """Return a whole log as Log describes it, without payload and extra fields."""
    return {
        **in_list(item),
        **content.fields,
        "sent_created_at": content.sent_created_at,
        "payload_type": item.payload_type,
        "received_at": times.to_text(item.received_at),
        "imported_at": times.to_text(item.imported_at) if item.imported_at else None,
        "expires_at": times.to_text(item.expires_at) if item.expires_at else None,
        "sender": item.sender,
        "status": item.status,
        "damage": content.damage,
    }


def parameters() -> list[dict[str, Any]]:
    """Return the parameters of the query string, as OpenAPI describes them."""
    return field_parameters(ListForm.base_fields, DESCRIPTIONS)


def field_parameters(
    form_fields: Mapping[str, forms.Field], descriptions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return form fields as parameters of OpenAPI, with a description each. Names are those of the API."""
    return [
        {
            "in": "query",
            "name": API_NAMES.get(name, name),
            "required": False,
            "description": descriptions[name],
            "schema": _schema(field),
        }
        for name, field in form_fields.items()
    ]


PATHS = (
    "Beside these parameters, `payload.<path>` and `extra.<path>` filter on a value within the JSON of the "
    "payload or of the extra fields: `payload.customer.name=Ada`, `payload.items.0.sku=A-1`. Exact value; "
    f"repeat it for several values, at most {MAX_VALUES} over all paths. {Source.DOCUMENT}"
)
# Not blank. The limit in bytes is in the description: JSON Schema counts characters.
NOT_BLANK = r"\S"
DESCRIPTIONS = {
    **{each.parameter: each.description for each in FILTERS.values()},
    "case": "1 if the letter case of `q` counts.",
    "from": "Logs at or after this time: ISO 8601, UTC if it has no offset. Must be before `to`.",
    "to": "Logs before this time. A bare date includes that day.",
    "order": "Which end of the time range comes first.",
    "limit": "The number of logs on a page.",
    "at": "The page that begins at this time. Excludes `around` and `cursor`.",
    "around": "The page with the log of this ID in its middle. Excludes `at` and `cursor`.",
    "cursor": "`next` or `previous` of another page of the same filter and order.",
    "include": "`payload`: whole logs, as `get_log` returns them. A page ends before 5 MB of them.",
    "format": "`ndjson`: the logs alone, one in a line. The header `Link` has the other pages.",
}


def _schema(field: forms.Field) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_BYTES, "pattern": NOT_BLANK}
    if isinstance(field, ValuesField):
        return {"type": "array", "items": text, "minItems": 1}
    if isinstance(field, forms.IntegerField):
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, forms.ChoiceField):
        choices = cast("Iterable[tuple[str, str]]", field.choices)
        return {"type": "string", "enum": [value for value, _ in choices]}
    if isinstance(field, MomentField):
        return {"type": "string", "examples": ["2026-11-23", "2026-11-23T22:44:00Z"], "minLength": 1}
    if isinstance(field, FlagField):
        return {"type": "string", "enum": [ON, OFF]}
    if isinstance(field, IdField):
        return {"type": "string", "format": "uuid"}
    return text
