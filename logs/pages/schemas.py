"""The schemas of the JSON API, and how pages and logs become JSON."""

from typing import TYPE_CHECKING, Any

from django import forms
from ninja import Schema
from pydantic import Field, create_model
from pynamodb.attributes import NumberAttribute

from logs import times
from logs.cursor import encode
from logs.fields import MAX_BYTES, OFF, ON, FlagField, IdField, MomentField, ValuesField
from logs.filters import FILTERS, Order
from logs.forms import FilterForm
from logs.json_path import MAX_VALUES
from logs.models import ROW_ATTRIBUTES, Context, LogItem
from logs.pages import sentence
from logs.pages.display import NO_LOG_HAS_ID
from logs.plan import Position
from logs.reader import IdSearch, PageResult
from logs.reading.budget import Cost
from logs.storage import documents

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


class LogPage(Schema):
    """A page of logs in the order of the filter, and its cost."""

    items: list[LogInList]
    next: str | None = Field(description="the cursor of the next page; null at the end")
    previous: str | None = Field(description="the cursor of the previous page; null at the beginning")
    index: str | None = Field(description="the index that was read; null if `q` was the ID of a log")
    examined: int = Field(description="how many items DynamoDB read")
    complete: bool = Field(
        description="false if the budget ended the page: it may be empty, and `next` continues it"
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


class Log(LogInList):
    """A whole log. A log of megabytes must be requested with `Accept-Encoding: gzip`."""

    submitter_agent: str | None
    payload: Any = Field(description="as sent: a text, or any JSON value")
    payload_type: str | None = Field(description="text or json; null without a payload")
    extra: dict[str, Any] = Field(description="the fields of the message that Logsite does not know")
    sent_created_at: str | None = Field(description="the time as sent, if the sender's clock was wrong")
    received_at: str = TIME
    expires_at: str | None
    sender: str | None = Field(description="SQS's SenderId")
    status: str = Field(description="the partition key of SortingIndex")
    damage: str | None = Field(description="why parts of the log are lost; null if it is whole")


class Problem(Schema):
    """An error."""

    code: str
    message: str
    fields: dict[str, list[str]] = Field(description="the errors by parameter; may be empty")


class Error(Schema):
    """The body of every response that is not 200."""

    error: Problem


def page(result: PageResult, cost: Cost, search: IdSearch | None = None) -> dict[str, Any]:
    """Return a page as LogPage describes it, with the cost of the whole request.

    `search` is the result of a search for an id that no log has.
    """
    page = result.page

    def cursor(position: Position | None) -> str | None:
        return encode(position, result.plan) if position else None

    return {
        "items": [in_list(item) for item in page.items],
        "next": cursor(page.next),
        "previous": cursor(page.previous),
        "index": result.plan.path,
        "complete": page.complete,
        "reached": times.to_text(page.reached) if page.reached else None,
        "sentence": sentence.sentence(result.plan),
        "note": NO_LOG_HAS_ID if search else None,
        "rejected": _rejection(search),
        **_costs(cost),
    }


def page_of_one(item: LogItem, cost: Cost, search: IdSearch) -> dict[str, Any]:
    """Return the page of a single log that `q` names by its ID."""
    nulls = dict.fromkeys(("next", "previous", "index", "reached", "note"))
    return {
        "items": [in_list(item)],
        **nulls,
        "complete": True,
        "sentence": f"The log {item.id}.",
        "rejected": _rejection(search),
        **_costs(cost),
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


def _costs(cost: Cost) -> dict[str, Any]:
    """Return a measured cost as LogPage describes it."""
    return {
        "examined": cost.examined,
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
    fields = {
        **in_list(item),
        **content.fields,
        "sent_created_at": content.sent_created_at,
        "payload_type": item.payload_type,
        "received_at": times.to_text(item.received_at),
        "expires_at": times.to_text(item.expires_at) if item.expires_at else None,
        "sender": item.sender,
        "status": item.status,
        "damage": content.damage,
    }
    return documents.with_values(fields, content)


def parameters() -> list[dict[str, Any]]:
    """Return the parameters of the query string, as OpenAPI describes them."""
    return [
        {
            "in": "query",
            "name": name,
            "required": False,
            "description": DESCRIPTIONS[name],
            "schema": _schema(field),
        }
        for name, field in FilterForm.base_fields.items()
    ]


PATHS = (
    "Beside these parameters, `payload.<path>` and `extra.<path>` filter on a value within the JSON of the "
    "payload or of the extra fields: `payload.customer.name=Ada`, `payload.items.0.sku=A-1`. Exact value; "
    f"repeat it for several values, at most {MAX_VALUES} over all paths. Reads every log in the range and "
    "its payload."
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
}


def _schema(field: forms.Field) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_BYTES, "pattern": NOT_BLANK}
    if isinstance(field, ValuesField):
        return {"type": "array", "items": text, "minItems": 1}
    if isinstance(field, forms.IntegerField):
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, forms.ChoiceField):
        return {"type": "string", "enum": list(Order)}
    if isinstance(field, MomentField):
        return {"type": "string", "examples": ["2026-11-23", "2026-11-23T22:44:00Z"], "minLength": 1}
    if isinstance(field, FlagField):
        return {"type": "string", "enum": [ON, OFF]}
    if isinstance(field, IdField):
        return {"type": "string", "format": "uuid"}
    return text
