"""Groups as JSON, and their schema."""

from typing import Any

from ninja import Schema
from pydantic import Field

from logs import times
from logs.counts_form import GroupsForm
from logs.pages.count_schemas import Number, number
from logs.pages.labels import name_values
from logs.pages.schemas import DESCRIPTIONS, costs, field_parameters
from logs.reading.budget import Cost
from logs.reading.grouping import FIELDS, MAX_LOOKUPS, Groups

MAX_GROUPS = 1_000
DESCRIPTION = (
    "Digests answer `type`, and without filters `sub_type`, `account_id` and `user_id`. For all other fields "
    "and filters, logs are read in an index, within the budget of a page. Texts and values within JSON are "
    "not counted."
)
UNCERTAIN = f"null if it is uncertain. It is looked up for the {MAX_LOOKUPS} largest groups."


class Group(Schema):
    """The logs with one value of the field."""

    value: str = Field(description="empty for logs without a value")
    name: str | None = Field(description="the name of a user, an account or an object, if it has one")
    count: int
    first: str | None = Field(description=f"the time of its first log in the range; {UNCERTAIN}")
    last: str | None = Field(description=f"the time of its last log in the range; {UNCERTAIN}")
    exact: bool = Field(description="false if there may be more logs than `count`")


class LogGroups(Schema):
    """The values of a field, the largest first, and the cost of counting them."""

    field: str
    groups: list[Group] = Field(description=f"at most {MAX_GROUPS:,}")
    values: Number = Field(description="the number of values, with those that are not listed")
    total: Number = Field(description="the number of logs")
    counted: int = Field(description="how many logs were grouped")
    examined: int
    queries: int
    read_units: float
    milliseconds: int


def groups(result: Groups, cost: Cost) -> dict[str, Any]:
    """Return groups as LogGroups describes them, with the cost of the whole request."""
    names = name_values(result.field, {each.value: each.name for each in result.groups})
    return {
        "field": result.field,
        "groups": [
            {
                "value": each.value,
                "name": names.get(each.value),
                "count": each.count.number,
                "first": times.to_text(each.first) if each.first else None,
                "last": times.to_text(each.last) if each.last else None,
                "exact": each.count.is_exact,
            }
            for each in result.groups
        ],
        "values": number(result.number),
        "total": number(result.total),
        "counted": result.counted,
        **costs(cost),
    }


def parameters() -> list[dict[str, Any]]:
    """Return the parameters of the query string, as OpenAPI describes them."""
    descriptions = {**DESCRIPTIONS, "field": "The field to group by."}
    described = field_parameters(GroupsForm.base_fields, descriptions)
    for each in described:
        if each["name"] == "field":
            each |= {"required": True, "schema": {"type": "string", "enum": list(FIELDS)}}
    return described
