"""Query string → clean filter values, or errors by field."""

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from logs import conf, times
from logs.plan import LogFilter, Order, QueryPlan, make_plan

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_BYTES = 500
# A day and a microsecond can be added and taken away.
FIRST_YEAR, LAST_YEAR = 2, 9998

# A `+` in an address is a space, so an offset that was written by hand arrives with one.
SPACED_OFFSET = re.compile(r"(?<=:\d\d) (?=\d{2}:?\d{2}$)")
# What Django reads bytes as that are no UTF-8, half a surrogate pair included.
NOT_UTF_8 = "\ufffd"
# A comma between values; `\,` is one within a value.
COMMA = re.compile(r"(?<!\\),")
PICKABLE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")

# What the Django admin puts into addresses itself.
ADMINS_OWN = frozenset({"_changelist_filters", "_popup", "_to_field", "e"})

TYPED = {"autocomplete": "off", "spellcheck": "false"}

Parameters = dict[str, str | list[str]]


def spell(moment: datetime) -> str:
    """Spell a moment in UTC for an address and for a browser's picker: as short as it can be exact."""
    text = times.as_utc(moment).replace(tzinfo=None).isoformat()
    return text.removesuffix(":00") if moment.microsecond == 0 else text


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of date and time; a plain text field for what a picker cannot show."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        text = context["widget"]["value"]
        pickable = text is None or PICKABLE.fullmatch(text)
        context["widget"]["type"] = "datetime-local" if pickable else "text"
        # Seconds are asked for only where there are some: whoever types should not have to.
        if text and pickable and text.count(":") == 2:
            context["widget"]["attrs"]["step"] = "1"
        return context


class MomentField(forms.CharField):
    """An ISO 8601 time, with any offset or none (UTC), as a moment in UTC."""

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        """Read a bare date as its first moment or, with `whole_day`, as the first moment after it."""
        super().__init__(**{"widget": MomentInput(), "required": False, **kwargs})
        self.whole_day = whole_day

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = times.parse(SPACED_OFFSET.sub("+", text))
        except ValueError as error:
            raise ValidationError(
                f"“{text[:40]}” is not a time. Write it as 2026-11-17 or 2026-11-17T16:30 (UTC)."
            ) from error
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValidationError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
        return moment + timedelta(days=1) if self.whole_day and _is_date(text) else moment


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class TextField(forms.CharField):
    """A text of at most 500 bytes, or None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs=TYPED), **kwargs})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if len(text.encode(errors="replace")) > MAX_BYTES:
            raise ValidationError(f"This is over {MAX_BYTES} bytes long; that is not looked for.")
        return text or None


class ValuesInput(forms.TextInput):
    """One text field for several values: repeated in the address, or with commas between them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if isinstance(data, QueryDict):
            return data.getlist(name)
        value = data.get(name, [])
        return [value] if isinstance(value, str) else value

    def format_value(self, value: Any) -> str | None:
        return ", ".join(value or []) or None


class ValuesField(forms.Field):
    """Values of an index key, each of at most 500 bytes, as a tuple without repetitions."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=ValuesInput(attrs=TYPED), **kwargs)
        self.commas = True
        self.text = TextField()

    def clean(self, value: Any) -> Any:
        texts = [part for text in value for part in (self._split(text) if self.commas else [text])]
        return tuple(dict.fromkeys(clean for text in texts if (clean := self.text.clean(text))))

    @staticmethod
    def _split(text: str) -> list[str]:
        return [part.replace("\\,", ",") for part in COMMA.split(text)]


class IdField(forms.CharField):
    """A log's id in any spelling of a UUID, as 32 hex digits, or None."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return uuid.UUID(text).hex if text else None
        except ValueError as error:
            raise ValidationError("This is not the id of a log: 32 hex digits.") from error


def _hidden(**kwargs: Any) -> dict[str, Any]:
    return {"required": False, "widget": forms.HiddenInput, **kwargs}


class FilterForm(forms.Form):
    """The filters of the listing, by the names that the page and the API share."""

    q = TextField(label="Search in url and payload, or an id", help_text="Upper and lower case differ.")
    account_id = ValuesField(label="Account")
    type = ValuesField(label="Type", help_text="As it is written; several with commas.")
    user_id = TextField(label="User")
    # Named `from` and `to` below: Python keeps the word `from` to itself.
    start = MomentField(label="From")
    end = MomentField(label="To", whole_day=True, help_text="Up to, and without, this time.")
    sub_type = TextField(label="Sub type")
    url = TextField(label="URL contains", help_text="Upper and lower case differ.")
    submitter_country = TextField(label="Country")
    submitter_platform = TextField(label="Platform")
    submitter_browser = TextField(label="Browser")
    payload_size_min = forms.IntegerField(
        label="Payload of at least (bytes)",
        required=False,
        min_value=0,
        max_value=10**9,
        widget=forms.NumberInput(attrs={"min": "0"}),
    )
    order = forms.ChoiceField(
        label="Order",
        choices=[(order.value, f"{order.name.capitalize()} first") for order in Order],
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not an order: write newest or oldest."},
    )
    limit = forms.IntegerField(
        min_value=1,
        max_value=MAX_LIMIT,
        error_messages={
            "invalid": f"The number of rows must be a whole number from 1 to {MAX_LIMIT}.",
            "min_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
            "max_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
        },
        **_hidden(),
    )
    # Where the page begins: one of these three, or at the first log.
    at = MomentField(**_hidden())
    around = IdField(**_hidden())
    # Checked against its plan, by `logs.cursor`: a bad one is no error of the filter.
    cursor = forms.Field(**_hidden())

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
        values = {
            name: self.cleaned_data[name] for name in LogFilter.__dataclass_fields__ if name in self.fields
        }
        values["order"] = Order(values["order"] or Order.NEWEST)
        return LogFilter(**values, start=self.cleaned_data["from"], end=self.cleaned_data["to"])

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


FilterForm.base_fields["from"] = FilterForm.base_fields.pop("start")
FilterForm.base_fields["to"] = FilterForm.base_fields.pop("end")


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
