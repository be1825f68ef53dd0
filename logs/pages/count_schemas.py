"""Counts as JSON, and their schema."""

from enum import StrEnum
from typing import Any

from ninja import Schema
from pydantic import Field

from logs import times
from logs.counts_form import CountsForm
from logs.digests.moments import to_time
from logs.pages.schemas import DESCRIPTIONS, TIME, costs, field_parameters
from logs.reading.budget import Cost
from logs.reading.count_result import MAX_BUCKETS, Bucket, Count, CountResult
from logs.reading.counted_values import FIELDS

# More values of a field are counted as `rest`.
MAX_VALUES = 50
DESCRIPTION = (
    "Digests answer a filter by type, and in buckets of days one by account, account and type, user or "
    "subtype. All other filters, and ranges without digests, are counted in an index, within a budget. "
    "Texts and values within JSON are not counted: their numbers are `unavailable`."
)


class Status(StrEnum):
    """How certain a number is."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    UNAVAILABLE = "unavailable"


class Number(Schema):
    """A number of logs."""

    count: int | None = Field(description="null if unavailable")
    status: Status = Field(description="`at_least`: the logs were not all counted, so there may be more")


class BucketCount(Number):
    """The number of logs in a bucket, within the range of the filter."""

    start: str = TIME


class ValueCount(Number):
    """The number of logs with a value."""

    value: str


class FieldCounts(Schema):
    """The most frequent values of a field. Without values and with `rest` null, they are unavailable."""

    values: list[ValueCount] = Field(description=f"the largest first, at most {MAX_VALUES}")
    rest: int | None = Field(description="the number of logs with other values; null if it is not exact")


class Counts(Schema):
    """How many logs match a filter, and the cost of counting them."""

    bucket: Bucket
    buckets: list[BucketCount] = Field(description="in order of time, those without logs too")
    total: Number
    fields: dict[str, FieldCounts] = Field(description="by name of the field")
    examined: int
    queries: int
    read_units: float
    milliseconds: int


def counts(result: CountResult, cost: Cost) -> dict[str, Any]:
    """Return counts as Counts describes them, with the cost of the whole request."""
    total = result.total
    return {
        "bucket": result.bucket,
        "buckets": [
            {"start": times.to_text(to_time(moment)), **number(count)}
            for moment, count in result.buckets.items()
        ],
        "total": number(total),
        "fields": {name: _field(name, result) for name in result.fields},
        **costs(cost),
    }


def number(count: Count) -> dict[str, Any]:
    """Return a number as Number describes it. Nothing counted is no lower bound."""
    if count.is_exact:
        return {"count": count.number, "status": Status.EXACT}
    if count.number:
        return {"count": count.number, "status": Status.AT_LEAST}
    return {"count": None, "status": Status.UNAVAILABLE}


def _field(name: str, result: CountResult) -> dict[str, Any]:
    """Return the values of a field as FieldCounts describes them."""
    if name not in result.values:
        return {"values": [], "rest": None}
    largest = {value: result.value(name, value) for value in result.values[name].largest(MAX_VALUES)}
    total = result.total
    is_exact = total.is_exact and name not in result.lower_bounds
    is_exact = is_exact and all(each.is_exact for each in largest.values())
    return {
        "values": [{"value": value, **number(count)} for value, count in largest.items()],
        "rest": total.number - sum(each.number for each in largest.values()) if is_exact else None,
    }


def parameters() -> list[dict[str, Any]]:
    """Return the parameters of the query string, as OpenAPI describes them."""
    descriptions = {
        **DESCRIPTIONS,
        "bucket": f"The default is `hour` for up to three days, otherwise `day`. At most {MAX_BUCKETS:,}.",
        "fields": "The fields whose most frequent values are counted, each one a parameter. Default: `type`.",
    }
    described = field_parameters(CountsForm.base_fields, descriptions)
    for each in described:
        if each["name"] == "bucket":
            each["schema"] = {"type": "string", "enum": list(Bucket)}
        elif each["name"] == "fields":
            each["schema"]["items"] = {"type": "string", "enum": list(FIELDS)}
    return described
