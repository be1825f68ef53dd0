"""From a query string to clean filter values, or errors by field."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from logs import conf
from logs.fields import IdField, MomentField, TextField, ValuesField, spell
from logs.filters import FILTERS, Filter, Kind, LogFilter, Order, Source
from logs.plan import QueryPlan, make_plan

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

# What Django reads bytes as that are no UTF-8, half a surrogate pair included.
NOT_UTF_8 = "\ufffd"

# What the Django admin puts into addresses itself.
ADMINS_OWN = frozenset({"_changelist_filters", "_popup", "_to_field", "e"})

Parameters = dict[str, str | list[str]]


MAX_PAYLOAD_BYTES = 10**9


def _filter_field(each: Filter) -> forms.Field:
    """Return the form field of a filter."""
    if each.source is Source.KEY:
        return ValuesField(label=each.label, help_text=each.help_text)
    if each.kind is Kind.AT_LEAST:
        return forms.IntegerField(
            label=each.label,
            help_text=each.help_text,
            required=False,
            min_value=0,
            max_value=MAX_PAYLOAD_BYTES,
            widget=forms.NumberInput(attrs={"min": "0"}),
        )
    return TextField(label=each.label, help_text=each.help_text)


def _hidden(**kwargs: Any) -> dict[str, Any]:
    return {"required": False, "widget": forms.HiddenInput, **kwargs}


FIELDS: dict[str, forms.Field] = {
    **{name: _filter_field(each) for name, each in FILTERS.items()},
    "from": MomentField(label="From"),
    "to": MomentField(label="To", whole_day=True, help_text="Logs before this time."),
    "order": forms.ChoiceField(
        label="Order",
        choices=[(order.value, f"{order.name.capitalize()} first") for order in Order],
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not an order: write newest or oldest."},
    ),
    "limit": forms.IntegerField(
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


class FilterForm(forms.BaseForm):
    """The filters of the listing, by the names that the page and the API share."""

    # Not declared one by one: the filters have a table of their own, and `from` is a keyword of Python.
    base_fields = FIELDS
    field_order = ["q", "account_id", "type", "user_id", "from", "to", "order"]
    plan: QueryPlan

    def __init__(self, data: Any, *, strict: bool = False) -> None:
        """Read a query string.

        A page's form sends empty fields, its values may stand with commas in one parameter, and the admin
        adds parameters of its own; a `strict` reader, the API, takes none of this.
        """
        super().__init__(data)
        self.strict = strict
        for name in ("account_id", "type"):
            field = self.fields[name]
            if isinstance(field, ValuesField):
                field.commas = not strict

    def clean_account_id(self) -> tuple[str, ...]:
        """Refuse what no account is called: `#` joins account and type in an index."""
        accounts: tuple[str, ...] = self.cleaned_data["account_id"]
        if any("#" in account for account in accounts):
            raise ValidationError("An account never contains a “#”.")
        return accounts

    def clean(self) -> dict[str, Any]:
        """Check what concerns several fields, and the names and the number of the parameters."""
        if isinstance(self.data, QueryDict):
            self._check_parameters(self.data)
        values = self.cleaned_data
        start, end = values.get("from"), values.get("to")
        if start and end and start >= end:
            self.add_error("to", f"This must be after the beginning of the range, {spell(start)} (UTC).")
        given = [name for name in ("at", "around", "cursor") if values.get(name)]
        if len(given) > 1:
            self.add_error(
                given[0], f"Give only one of {' and '.join(given)}: each says where the page begins."
            )
        if not self.errors:
            try:
                self.plan = make_plan(self._log_filter(), conf.shards())
            except ValueError as error:
                self.add_error("account_id", f"{error}."[0].upper() + f"{error}."[1:])
        return values

    def _check_parameters(self, data: QueryDict) -> None:
        """Refuse what would be passed over: an answer without it would look like the answer to it."""
        for name, values in data.lists():
            if name in self.fields:
                if len(values) > 1 and not isinstance(self.fields[name], ValuesField):
                    self.add_error(name, "This is given more than once; give one value.")
                if any(NOT_UTF_8 in value for value in values):
                    self.add_error(name, "This is no text in UTF-8.")
                if self.strict and not all(value.strip() for value in values):
                    self.add_error(name, "This is empty: leave it out, or give a value.")
            elif self.strict or name not in ADMINS_OWN:
                known = ", ".join(self.fields)
                raise ValidationError(
                    f"There is no filter “{name[:40]}”. The filters are: {known}.", params={"name": name[:40]}
                )

    def errors_by_parameter(self) -> dict[str, list[str]]:
        """Return what is wrong, by the name of the parameter, known or not."""
        found: dict[str, list[str]] = {}
        for name, errors in self.errors.as_data().items():
            for error in errors:
                parameter = (error.params or {}).get("name", name) if name == NON_FIELD_ERRORS else name
                found.setdefault(parameter, []).extend(error.messages)
        return found

    def _log_filter(self) -> LogFilter:
        values = self.cleaned_data
        return LogFilter(
            **{name: values[name] for name in FILTERS},
            start=values["from"],
            end=values["to"],
            order=Order(values["order"] or Order.NEWEST),
        )

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """Return the fields that stand open on the page."""
        return [self[name] for name in self.field_order]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """Return the fields that stand folded."""
        return [field for field in self.visible_fields() if field.name not in self.field_order]

    @property
    def more_is_used(self) -> bool:
        """Tell whether a folded field has a value, which must not be hidden."""
        return any(field.value() for field in self.more_fields)

    @property
    def kept_fields(self) -> list[forms.BoundField]:
        """Return what a new filter keeps of the old one: the page size, not the place in it."""
        return [field for field in [self["limit"]] if field.value() and not field.errors]

    def page_size(self) -> int:
        """Return the number of rows a page of a valid form holds."""
        limit: int | None = self.cleaned_data["limit"]
        return DEFAULT_LIMIT if limit is None else limit


def parameters(asked: LogFilter, limit: int) -> Parameters:
    """Return the query string's parameters that ask for a filter, with nothing that is so by default."""
    values: dict[str, Any] = {**vars(asked)}
    start, end, order = (values.pop(name) for name in ("start", "end", "order"))
    values["from"] = spell(start) if start else None
    values["to"] = spell(end) if end else None
    values["order"] = order.value if order is not Order.NEWEST else None
    values["limit"] = limit if limit != DEFAULT_LIMIT else None
    return {
        name: [text.replace(",", "\\,") for text in value] if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value not in (None, ())
    }
