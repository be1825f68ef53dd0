"""The form fields of the filters and of the other parameters of a listing."""

from collections.abc import Callable
from typing import Any

from django import forms

from logs.conditions import Kind
from logs.fields import (
    ChoiceField,
    FlagField,
    IdField,
    MomentField,
    ObjectsField,
    SizeField,
    TextField,
    ValuesField,
    ZoneField,
    account,
    ip_address,
    object_value,
    trace_id,
)
from logs.filters import FILTERS, KEYS, Filter, Order, Source

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

MAX_PAYLOAD_BYTES = 10**9

# The parameters of a saved view: its id, and what differs from it.
VIEW_PARAMETERS = ("view", "columns", "density")
# All logs, even if a saved view opens first.
ALL = "all"
MAX_VIEW_ID = 20


# The filters whose values the writer stores in one spelling.
NORMALIZERS: dict[str, Callable[[str], str]] = {
    "account_id": account,
    "-account_id": account,
    "object": object_value,
    "submitter_ip": ip_address,
    "trace_id": trace_id,
}


def _filter_field(each: Filter) -> forms.Field:
    """Return the form field of a filter."""
    # Keys contain no control characters. The writer keeps a NUL in other values.
    allows_nul = each.source is not Source.KEY and each.kind not in (Kind.CONTAINS, Kind.SEARCH)
    if each.name == "object":
        return ObjectsField(label=each.label, help_text=each.help_text)
    if each.kind.is_multiple:
        return ValuesField(
            label=each.label,
            help_text=each.help_text,
            allows_nul=allows_nul,
            joins_commas=each.source is not Source.KEY and each.name not in NORMALIZERS,
        )
    if each.kind is Kind.AT_LEAST:
        return SizeField(
            label=each.label,
            help_text=each.help_text,
            required=False,
            min_value=0,
            max_value=MAX_PAYLOAD_BYTES,
            widget=forms.NumberInput(attrs={"min": "0"}),
        )
    return TextField(label=each.label, help_text=each.help_text, allows_nul=allows_nul)


def _hidden(**kwargs: Any) -> dict[str, Any]:
    return {"required": False, "widget": forms.HiddenInput, **kwargs}


class SharedFields(dict[str, forms.Field]):
    """Fields that all forms of a class share. No form changes a field.

    A form of Django copies its fields, which takes longer than reading a filter.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


# The parameters of page and API.
FIELDS: dict[str, forms.Field] = {
    **{each.parameter: _filter_field(each) for each in FILTERS.values()},
    "case": FlagField(label="Match case", required=False),
    "from": MomentField(label="From"),
    "to": MomentField(label="To", whole_day=True),
    "order": ChoiceField(
        label="Order",
        choices=[(order.value, f"{order.name.capitalize()} first") for order in Order],
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not an order: write newest or oldest."},
    ),
    "limit": forms.IntegerField(
        label="Rows on a page",
        min_value=1,
        max_value=MAX_LIMIT,
        error_messages={
            "invalid": f"The number of rows must be a whole number from 1 to {MAX_LIMIT}.",
            "min_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
            "max_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
        },
        **_hidden(),
    ),
    # Where the page begins: one of these three, or at the first log.
    "at": MomentField(**_hidden()),
    "around": IdField(**_hidden()),
    # Decoded by `query()`: an invalid cursor is no error of the filter.
    "cursor": forms.Field(**_hidden()),
}
# The parameters of the page alone.
PAGE_FIELDS: dict[str, forms.Field] = {
    # Read by the form, which knows the time zone.
    "range": forms.CharField(label="Time range", required=False),
    "tz": ZoneField(label="Time zone", required=False),
    "view": forms.CharField(label="Saved view", max_length=MAX_VIEW_ID, **_hidden()),
    # Read by `logs.pages.preferences`.
    "columns": forms.CharField(label="Columns", **_hidden()),
    "density": forms.CharField(label="Density", **_hidden()),
    ALL: FlagField(label="All logs", required=False),
}


# The filters whose values the form may spell otherwise, with the words of the pages.
SPELLED = {
    each.parameter: each.words
    for each in FILTERS.values()
    if each.kind.is_multiple or (each.kind is Kind.CONTAINS and each.source is Source.SIGNATURE)
}


# The keys whose texts with commas are looked up. An object has a form of its own.
LOOKED_UP = [name for name in KEYS if name != "object"]
