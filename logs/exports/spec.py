"""What an export contains: the plan of its filter, its format and its columns."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from logs import times, zones
from logs.exports.formats import CONTENT_COLUMNS, FORMATS, Format, Row
from logs.filters import FILTERS, LogFilter, Order
from logs.json_path import PathFilter
from logs.models import ROW_ATTRIBUTES, LogItem
from logs.plan import QueryPlan, make_plan
from logs.storage import documents
from logs.storage.raw_items import row_texts

# The columns of whole logs beside those of the indexes.
WHOLE_ATTRIBUTES = ("submitter_agent", "payload_type")
# Why parts of a log are lost: a column of whole logs.
DAMAGE = "damage"
TIME = "created_at"


class BadSpec(ValueError):
    """The text describes no export of this version."""


@dataclass(frozen=True)
class Spec:
    """An export: its plan, its format, its columns and its time zone.

    `columns` are attributes of a log, empty for all of them. With `payloads`, each row also has the payload
    and the fields that Logsite does not know.
    """

    plan: QueryPlan
    format: str
    columns: tuple[str, ...] = ()
    payloads: bool = False
    zone: tzinfo = UTC

    @property
    def form(self) -> Format:
        """Return the format of the file."""
        return FORMATS[self.format]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns in their order, without payload and extra fields."""
        if not self.payloads:
            return self.columns or ROW_ATTRIBUTES
        return (*(self.columns or ROW_ATTRIBUTES + WHOLE_ATTRIBUTES), DAMAGE)

    def head(self) -> str:
        """Return the text before the rows."""
        return self.form.head(self.names + CONTENT_COLUMNS if self.payloads else self.names)

    def rows(self, items: Iterable[LogItem], number: int) -> list[str]:
        """Return the rows of logs. `number` is that of the first one, from 0.

        With `payloads` the logs must be whole, with joined parts.
        """
        names = self.names
        return self.form.rows(names, (self._row(item, names) for item in items), number)

    def _row(self, item: LogItem, names: Sequence[str]) -> Row:
        texts, content = row_texts(item, names), None
        if self.payloads:
            content = documents.content(item)
            whole = {**content.fields, DAMAGE: content.damage}
            texts = [whole.get(name, text) for name, text in zip(names, texts, strict=True)]
        # The stored text is that of UTC.
        if self.zone is not UTC and TIME in names:
            moment = item.created_at.astimezone(self.zone)
            texts[names.index(TIME)] = moment.isoformat(timespec="microseconds")
        return texts, content


def dumps(spec: Spec) -> str:
    """Return an export as JSON that `loads` reads."""
    log_filter = spec.plan.filter
    return json.dumps(
        {
            "filter": log_filter.values,
            "match_case": log_filter.match_case,
            "paths": [[each.source, each.path, each.values] for each in log_filter.paths],
            "start": _text(log_filter.start),
            "end": _text(log_filter.end),
            "order": log_filter.order,
            "includes_own": spec.plan.includes_own,
            "shards": spec.plan.shards,
            "format": spec.format,
            "columns": spec.columns,
            "payloads": spec.payloads,
            "zone": zones.name(spec.zone),
        }
    )


def loads(text: str) -> Spec:
    """Return the export that `dumps` wrote. Raises BadSpec if another version wrote it."""
    try:
        values = json.loads(text)
        filter_values: dict[str, Any] = {
            name: tuple(value) if FILTERS[name].kind.is_multiple else value
            for name, value in values["filter"].items()
        }
        log_filter = LogFilter(
            **filter_values,
            match_case=values["match_case"],
            paths=tuple(PathFilter(source, path, tuple(texts)) for source, path, texts in values["paths"]),
            start=_moment(values["start"]),
            end=_moment(values["end"]),
            order=Order(values["order"]),
        )
        plan = make_plan(log_filter, values["shards"], includes_own=values["includes_own"])
        if values["format"] not in FORMATS:
            raise BadSpec(f"there is no format {values['format']}")
        return Spec(
            plan, values["format"], tuple(values["columns"]), values["payloads"], zones.parse(values["zone"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadSpec(f"another version of Logsite began this export: {error!r}") from error


def _text(moment: datetime | None) -> str | None:
    return times.to_text(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return times.parse(text) if text else None
