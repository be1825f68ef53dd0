"""The parameters of counts: the filters of the listing, the bucket and the fields."""

from typing import Any

from django.core.exceptions import ValidationError

from logs import conf
from logs.fields import ChoiceField, ValuesField, quoted
from logs.form_fields import FIELDS, SharedFields
from logs.forms import FilterForm
from logs.plan import QueryPlan, make_plan
from logs.reading.count_result import Bucket
from logs.reading.counted_values import FIELDS as COUNTED_FIELDS

# The parameters of a listing that counts do not take.
PAGE_PARAMETERS = ("order", "limit", "at", "around", "cursor")
DEFAULT_FIELDS = ("type",)


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


class CountsForm(FilterForm):
    """The parameters of counts. It accepts no others, as a strict FilterForm."""

    base_fields = SharedFields(
        {
            **{name: field for name, field in FIELDS.items() if name not in PAGE_PARAMETERS},
            "bucket": ChoiceField(
                choices=[(each.value, each.value) for each in Bucket],
                required=False,
                error_messages={"invalid_choice": "“%(value)s” is not a bucket: write hour or day."},
            ),
            "fields": CountedFieldsField(),
        }
    )

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, strict=True, **kwargs)

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

    def plan(self) -> QueryPlan:
        """Return the plan of a valid form's filter."""
        return make_plan(self.log_filter, conf.shards(), includes_own=self.includes_own)
