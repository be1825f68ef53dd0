"""The form of the page: filter, time zone, and time range as text."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from logs import time_range, zones
from logs.fields import format_time
from logs.form_fields import DEFAULT_LIMIT, FIELDS, PAGE_FIELDS, VIEW_PARAMETERS, SharedFields
from logs.forms import FilterForm
from logs.time_range import BadRange, TimeRange


class PageForm(FilterForm):
    """The filter of the page.

    `range` is a text for both ends of the time range, in the time zone `tz`. Addresses may have `from` and
    `to` instead, as in the API. Without an offset these two are UTC, whatever `tz` is.
    """

    base_fields = SharedFields({**FIELDS, **PAGE_FIELDS})
    zone: tzinfo = UTC
    # Set by a valid `range`.
    time_range: TimeRange | None = None

    def __init__(self, data: Any, *, default_limit: int = DEFAULT_LIMIT, **kwargs: Any) -> None:
        """Read a query string as `FilterForm` does. `default_limit` is the page size without `limit`."""
        super().__init__(data, **kwargs)
        self.default_limit = default_limit

    def clean(self) -> dict[str, Any]:
        """Read the time range in its zone, and check the filter."""
        values = self.cleaned_data
        self.zone = values.get("tz") or UTC
        if text := values.get("range"):
            self._read_range(text, values)
        return super().clean()

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters of a valid form that each link of its page keeps."""
        return {name: self.cleaned_data[name] for name in VIEW_PARAMETERS if self.cleaned_data[name]}

    def _read_range(self, text: str, values: dict[str, Any]) -> None:
        if values.get("from") or values.get("to"):
            self.add_error("range", "Give either range, or from and to.")
            return
        try:
            self.time_range = time_range.parse(text, datetime.now(UTC), self.zone)
        except BadRange as error:
            self.add_error("range", str(error))
        else:
            values["from"], values["to"] = self.time_range.start, self.time_range.end


def moments(data: Mapping[str, str]) -> dict[str, str]:
    """Return `from` and `to` in place of a `range` that another zone would change.

    They are empty for a missing end. The result is empty if `range` stays: it is missing or invalid, or it
    has no clock times and is relative, such as `today`.
    """
    try:
        zone = zones.parse(data.get("tz") or zones.UTC_NAME)
        each = time_range.parse(data.get("range", ""), datetime.now(UTC), zone)
    except (zones.UnknownZone, BadRange):
        return {}
    if each.is_relative and not each.has_clock:
        return {}
    ends = {"from": each.start, "to": each.end}
    return {"range": "", **{name: format_time(moment) if moment else "" for name, moment in ends.items()}}
