"""Query string → clean filter values, or errors by field."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from logs import times
from logs.plan import LogFilter, Order

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_KEY_BYTES = 500

BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PICKABLE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")

# What the Django admin puts into addresses itself.
ADMINS_OWN = frozenset({"_changelist_filters", "_popup", "_to_field", "e"})


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
        return context


class MomentField(forms.CharField):
    """An ISO 8601 time, with any offset or none (UTC), as a moment in UTC."""

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        """Read a bare date as its first moment or, with `whole_day`, as the first moment after it."""
        super().__init__(widget=MomentInput(attrs={"step": "1"}), required=False, **kwargs)
        self.whole_day = whole_day

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = times.parse(text)
            if self.whole_day and BARE_DATE.fullmatch(text):
                moment += timedelta(days=1)
        except (ValueError, OverflowError) as error:
            raise ValidationError(
                f"“{text[:40]}” is not a time. Write it as 2026-11-17 or 2026-11-17T16:30 (UTC)."
            ) from error
        return moment


class KeyField(forms.CharField):
    """A value of an index key: at most 500 bytes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            **kwargs,
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if len(text.encode(errors="replace")) > MAX_KEY_BYTES:
            raise ValidationError(f"This is over {MAX_KEY_BYTES} bytes long; no log has such a value.")
        return text or None


class FilterForm(forms.Form):
    """The filters of the listing, by the names that the page and the API share."""

    account_id = KeyField(label="Account")
    type = KeyField(label="Type")
    # Named `from` and `to` below: Python keeps the word `from` to itself.
    start = MomentField(label="From")
    end = MomentField(label="To", whole_day=True)
    order = forms.ChoiceField(
        choices=[(order.value, order.name.capitalize()) for order in Order],
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "“%(value)s” is not an order: write newest or oldest."},
    )
    limit = forms.IntegerField(
        min_value=1,
        max_value=MAX_LIMIT,
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid": f"The number of rows must be a whole number from 1 to {MAX_LIMIT}.",
            "min_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
            "max_value": f"The number of rows must be from 1 to {MAX_LIMIT}.",
        },
    )
    # Checked against its plan, by `logs.cursor`: a bad one is no error of the filter.
    cursor = forms.Field(required=False, widget=forms.HiddenInput)

    field_order = ["account_id", "type", "from", "to"]

    def clean_account_id(self) -> str | None:
        """Refuse what no account is called: `#` joins account and type in an index."""
        account_id: str | None = self.cleaned_data["account_id"]
        if account_id and "#" in account_id:
            raise ValidationError("An account never contains a “#”.")
        return account_id

    def clean(self) -> dict[str, Any]:
        """Check what concerns several fields, and the names and the number of the parameters."""
        if isinstance(self.data, QueryDict):
            self._check_parameters(self.data)
        start, end = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if start and end and start >= end:
            self.add_error("to", f"This must be after the beginning of the range, {spell(start)} (UTC).")
        return self.cleaned_data

    def _check_parameters(self, data: QueryDict) -> None:
        """Refuse what would be passed over: an answer without it would look like the answer to it."""
        for name, values in data.lists():
            if name in self.fields:
                if len(values) > 1:
                    self.add_error(name, "This is given more than once; give one value.")
            elif name not in ADMINS_OWN:
                known = ", ".join(self.fields)
                raise ValidationError(f"There is no filter “{name[:40]}”. The filters are: {known}.")

    def log_filter(self) -> LogFilter:
        """Return the filter of a valid form."""
        values = self.cleaned_data
        return LogFilter(
            account_id=values["account_id"],
            type=values["type"],
            start=values["from"],
            end=values["to"],
            order=Order(values["order"] or Order.NEWEST),
        )

    def page_size(self) -> int:
        """Return the number of rows a page of a valid form holds."""
        limit: int | None = self.cleaned_data["limit"]
        return DEFAULT_LIMIT if limit is None else limit


FilterForm.base_fields["from"] = FilterForm.base_fields.pop("start")
FilterForm.base_fields["to"] = FilterForm.base_fields.pop("end")


def parameters(asked: LogFilter, limit: int) -> Mapping[str, str]:
    """Return the query string's parameters that ask for a filter, with nothing that is so by default."""
    values = {
        "account_id": asked.account_id,
        "type": asked.type,
        "from": spell(asked.start) if asked.start else None,
        "to": spell(asked.end) if asked.end else None,
        "order": asked.order.value if asked.order is not Order.NEWEST else None,
        "limit": str(limit) if limit != DEFAULT_LIMIT else None,
    }
    return {name: value for name, value in values.items() if value is not None}
