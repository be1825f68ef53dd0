"""The parameters of counts and groups: filters, and what is counted."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from logs import conf
from logs.api_form import ApiForm
from logs.fields import ChoiceField, ValuesField, quoted
from logs.form_fields import FIELDS, SharedFields
from logs.plan import QueryPlan, make_plan
from logs.reading.count_result import Bucket
from logs.reading.counted_values import FIELDS as COUNTED_FIELDS
from logs.reading.grouping import FIELDS as GROUPED_FIELDS

# The parameters of a listing that counts do not take.
PAGE_PARAMETERS = ("order", "limit", "at", "around", "cursor")
DEFAULT_FIELDS = ("type",)
NAMES_OF_FIELDS = f"{', '.join(GROUPED_FIELDS[:-1])} or {GROUPED_FIELDS[-1]}"


class CountedFieldsField(ValuesField):
    """The fields whose most frequent values are counted."""

    def clean(self, value: Any) -> Any:
        names = super().clean(value)
        for name in names:
            if name not in COUNTED_FIELDS:
                raise ValidationError(
                    "“%(name)s” is not a counted field: write %(first)s or %(last)s.",
                    params={
                        "name": quoted(name),
                        "first": ", ".join(COUNTED_FIELDS[:-1]),
                        "last": COUNTED_FIELDS[-1],
                    },
                )
        return names or DEFAULT_FIELDS


# The parameters that filter logs.
FILTER_FIELDS: dict[str, forms.Field] = {
    name: field for name, field in FIELDS.items() if name not in PAGE_PARAMETERS
}


class NumbersForm(ApiForm):
    """The parameters of numbers."""

    base_fields = SharedFields(FILTER_FIELDS)

    def plan(self) -> QueryPlan:
        """Return the plan of a valid form's filter."""
        return make_plan(self.log_filter, conf.shards(), includes_own=self.includes_own)


class CountsForm(NumbersForm):
    """The parameters of counts."""

    base_fields = SharedFields(
        {
            **FILTER_FIELDS,
            "bucket": ChoiceField(
                choices=[(each.value, each.value) for each in Bucket],
                required=False,
                error_messages={"invalid_choice": "“%(value)s” is not a bucket: write hour or day."},
            ),
            "fields": CountedFieldsField(),
        }
    )

    @property
    def bucket(self) -> Bucket | None:
        """Return the bucket of a valid form, or None if it has none."""
        text = self.cleaned_data["bucket"]
        return Bucket(text) if text else None

    @property
    def counted_fields(self) -> tuple[str, ...]:
        """Return the fields of a valid form whose values are counted."""
        names: tuple[str, ...] = self.cleaned_data["fields"]
        return names


class GroupsForm(NumbersForm):
    """The parameters of groups."""

    base_fields: dict[str, forms.Field] = {
        **FILTER_FIELDS,
        "field": ChoiceField(
            choices=[(name, name) for name in GROUPED_FIELDS],
            error_messages={
                "required": f"Give the field to group by: {NAMES_OF_FIELDS}.",
                "invalid_choice": f"“%(value)s” cannot be grouped: write {NAMES_OF_FIELDS}.",
            },
        ),
    }
