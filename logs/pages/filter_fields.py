"""The fields of the filter as HTML. Each is rendered once per value and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from django.http import QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from logs.characters import strip, visible
from logs.fields import SizeField, ValuesField
from logs.form_fields import ALL, FIELDS, PAGE_FIELDS, VIEW_PARAMETERS
from logs.forms import Parameters
from logs.page_form import PageForm
from logs.path_fields import PathField, is_path

# The fields beside the list. The rest is folded.
SIDE = ("account_id", "type", "sub_type", "user_id", "object", "submitter_country")
# Above the list, or hidden, or written by links alone.
ELSEWHERE = frozenset({"q", "case", "range", "tz", "from", "to", "order", "limit", "at", "around", "cursor"})
FOLDED = tuple(name for name in FIELDS if name not in ELSEWHERE and name not in SIDE)
# A new filter keeps these: the form sends them as hidden fields.
KEPT = ("tz", "order", "limit", *VIEW_PARAMETERS, ALL)
LABELS = {name: str(field.label or name) for name, field in {**FIELDS, **PAGE_FIELDS}.items()}
# An error of one of these is an error of the field `range`.
RANGE_PARAMETERS = ("from", "to", "range")

# A rendered field has about 300 bytes. Longer values are rare.
MAX_KEPT = 1_000
MAX_KEPT_VALUE = 200
FORM_ID = "logs-filter"


@dataclass(frozen=True)
class FieldError:
    """An error of a parameter, and the address of its field, if any."""

    label: str
    text: str
    href: str | None


class FilterFields:
    """The filter as the page shows it: its fields, and its errors."""

    def __init__(self, values: Parameters, errors: Mapping[str, list[str]] | None = None) -> None:
        self.values = {name: _text(value) for name, value in values.items()}
        self._errors = errors or {}

    @classmethod
    def rejected(cls, form: PageForm) -> "FilterFields":
        """Return the fields of an invalid form, as they were typed."""
        data = cast(QueryDict, form.data)
        values: Parameters = {name: data.getlist(name) for name in data if name in form.fields}
        ends = [data.get(name, "") for name in ("from", "to")]
        if any(ends) and not data.get("range"):
            values["range"] = [" - ".join(ends).strip()]
        return cls(values, form.errors_by_parameter())

    @property
    def search(self) -> str:
        """Return the searched text."""
        return self.values.get("q", "")

    @property
    def search_note(self) -> str:
        """Return a note if the searched text has invisible characters, otherwise an empty text."""
        return _invisible_characters(self.search)

    @property
    def matches_case(self) -> bool:
        """Return whether the letter case of the searched text counts."""
        return self.values.get("case") == "1"

    @property
    def range(self) -> str:
        """Return the time range as text."""
        return self.values.get("range", "")

    @property
    def invalid(self) -> frozenset[str]:
        """Return the parameters with an error. A range is one parameter."""
        names = self._errors.keys()
        return frozenset({*names, *(["range"] if names & set(RANGE_PARAMETERS) else [])})

    @property
    def zone(self) -> str:
        """Return an invalid time zone as it was typed."""
        return self.values.get("tz", "") if "tz" in self._errors else ""

    @property
    def side(self) -> list[SafeString]:
        """Return the fields that are always open."""
        return [self._field(name) for name in SIDE]

    @property
    def folded(self) -> list[SafeString]:
        """Return the fields below "More filters"."""
        return [self._field(name) for name in (*FOLDED, *self._paths)]

    @property
    def is_folded_used(self) -> bool:
        """Return whether a folded field has a value or an error."""
        return any(self.values.get(name) or name in self._errors for name in (*FOLDED, *self._paths))

    @property
    def has_errors_beside(self) -> bool:
        """Return whether a field beside the list has an error."""
        return any(name in self._errors for name in (*SIDE, *FOLDED, *self._paths))

    @property
    def number(self) -> int:
        """Return how many fields beside the list have a value."""
        return sum(bool(self.values.get(name)) for name in (*SIDE, *FOLDED, *self._paths))

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return the names and values of the hidden fields."""
        return [
            (name, self.values[name]) for name in KEPT if self.values.get(name) and name not in self._errors
        ]

    @property
    def errors(self) -> list[FieldError]:
        """Return all errors, in the order of the fields."""
        return [
            FieldError(LABELS.get(name, "") or visible(name), text, self._href(name))
            for name, texts in self._errors.items()
            for text in texts
        ]

    @property
    def _paths(self) -> list[str]:
        return [name for name in self.values if is_path(name)]

    def _href(self, name: str) -> str | None:
        if name in RANGE_PARAMETERS:
            return "#id_range"
        is_shown = name in ("q", "case", "tz", *SIDE, *FOLDED) or name in self._paths
        return f"#id_{name}" if is_shown else None

    def _field(self, name: str) -> SafeString:
        value = self.values.get(name, "")
        render = _render if len(value) > MAX_KEPT_VALUE or is_path(name) else _kept
        return render(name, value, name in self._errors)


def _text(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _render(name: str, value: str, is_invalid: bool) -> SafeString:
    field = FIELDS.get(name) or PathField(name)
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    if isinstance(field, ValuesField):
        attributes["data-several"] = ""
    if isinstance(field, SizeField):
        attributes["inputmode"] = "numeric"
    if is_invalid:
        attributes["aria-invalid"] = "true"
    if field.help_text:
        attributes["aria-describedby"] = f"help_{name}"
    return format_html(
        '<div class="logs-field{}"><label for="id_{}">{}:</label> '
        '<input type="text" name="{}" value="{}" id="id_{}" form="{}"{}>{}{}</div>',
        " errors" if is_invalid else "",
        name,
        field.label,
        name,
        value,
        name,
        FORM_ID,
        format_html_join("", ' {}="{}"', attributes.items()),
        _invisible_characters(value),
        format_html('<div class="help" id="help_{}">{}</div>', name, field.help_text)
        if field.help_text
        else "",
    )


def _invisible_characters(value: str) -> SafeString | str:
    """Return a note with the value as escapes if it has invisible characters."""
    text = strip(value)
    if (shown := visible(text)) == text:
        return ""
    return format_html(
        '<div class="help">Contains invisible characters: <code><bdi>{}</bdi></code></div>', shown
    )


_kept = lru_cache(MAX_KEPT)(_render)
