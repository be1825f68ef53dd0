"""From a query string to clean filter values, or errors by field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict

from logs import conf, cursor, spelling
from logs.characters import strip
from logs.fields import MAX_QUOTED, ON, TextField, ValuesField, format_time, quoted
from logs.filters import FILTERS, LogFilter, Order
from logs.form_fields import DEFAULT_LIMIT, FIELDS, LOOKED_UP, NORMALIZERS, SPELLED, SharedFields
from logs.json_path import PathFilter
from logs.key_values import KeyValues
from logs.path_fields import is_path, path_fields, path_filters, too_many_paths
from logs.plan import Around, PageQuery, Position, begin_at, make_plan
from logs.plan_error import plan_error

# Django replaces bytes that are not UTF-8, and lone surrogates, by this character.
NOT_UTF_8 = "\ufffd"

# Parameters that the Django admin adds to addresses, and the open rows of a page.
ADMIN_PARAMETERS = frozenset({"_changelist_filters", "_popup", "_to_field", "e", "open"})

Parameters = dict[str, str | list[str]]
HasLogs = Callable[[str, str], bool]
# From an attribute and a value to the values to filter by.
Spellings = Callable[[str, str], list[str]]


class FilterForm(forms.BaseForm):
    """The filters of the listing, with the same names on page and API."""

    # A dictionary, not class attributes: the filters have their own table, and `from` is a keyword.
    base_fields: dict[str, forms.Field] = SharedFields(FIELDS)
    field_order = ["q", "case", "account_id", "type", "user_id", "object", "from", "to", "order"]
    # The page size without `limit`.
    default_limit = DEFAULT_LIMIT
    log_filter: LogFilter

    def __init__(
        self,
        data: Any,
        *,
        strict: bool = False,
        raw: str | None = None,
        has_logs: HasLogs | None = None,
        spellings: Spellings | None = None,
        includes_own: bool = False,
    ) -> None:
        """Read a query string.

        `raw` is the query string before Django replaced the bytes that are not UTF-8. Without it, U+FFFD in a
        value is an error, because it may replace such bytes.

        The page's form sends empty fields and separates several values with commas, and the admin adds its
        own parameters. A `strict` form, the API's, accepts none of these.

        `has_logs` returns whether a log has a value of a key. With it, a valid form looks up which commas are
        part of a value, as `KeyValues` describes.

        `spellings` returns the values to filter by instead of a value of an attribute, which may be in
        another letter case. The filter of a link with a cursor has its spellings already.

        `includes_own` is whether the reader may see logs of Logsite's own accounts.
        """
        super().__init__(data)
        self.fields |= path_fields(data)
        self.includes_own = includes_own
        self.has_logs = has_logs
        self.spellings = spellings
        self.strict = strict
        self.is_utf_8 = raw is not None and _is_utf_8(raw)
        for name, field in self.fields.items():
            if strict and isinstance(field, ValuesField):
                self.fields[name] = field.without_commas()

    def clean(self) -> dict[str, Any]:
        """Check the rules across fields, and the names of the parameters."""
        if isinstance(self.data, QueryDict):
            self._check_parameters(self.data)
        values = self.cleaned_data
        if not self.strict:
            self._read_spellings(values)
        self._normalize(values)
        start, end = values.get("from"), values.get("to")
        if start and end and start >= end:
            message = "This must be after the beginning of the range, %(start)s (UTC)."
            self.add_error("to", ValidationError(message, params={"start": format_time(start)}))
        if self.strict and values.get("case") and not (values.get("q") or "q" in self.errors):
            self.add_error("case", "This needs q: it is whether the letter case of q counts.")
        starts = [name for name in ("at", "around", "cursor") if values.get(name)]
        if len(starts) > 1:
            self.add_error(
                starts[0], f"Give only one of {' and '.join(starts)}: each says where the page begins."
            )
        if not self.errors and not self.strict:
            self._look_up(values)
        paths = self._paths(values)
        if not self.errors:
            self.log_filter = LogFilter(
                **{name: values[each.parameter] for name, each in FILTERS.items()},
                # Without a text, the check box of the page changes nothing.
                match_case=values["case"] and values["q"] is not None,
                paths=paths,
                start=start,
                end=end,
                order=Order(values.get("order") or Order.NEWEST),
            )
            if error := plan_error(self.log_filter, includes_own=self.includes_own):
                for name in error.parameters:
                    self.add_error(name, f"{error.text[0].upper()}{error.text[1:]}.")
        return values

    def _read_spellings(self, values: dict[str, Any]) -> None:
        """Replace the texts of the page's form by the values that they stand for."""
        for name, words in _spelled_words(values).items():
            value = values[name]
            if isinstance(value, tuple):
                values[name] = tuple(dict.fromkeys(spelling.read(text, words) for text in value))
            elif value is not None:
                values[name] = spelling.read(value, words)

    def _normalize(self, values: dict[str, Any]) -> None:
        """Replace values by the spellings that the writer stores."""
        for name in NORMALIZERS.keys() & values.keys():
            try:
                values[name] = tuple(dict.fromkeys(NORMALIZERS[name](text) for text in values[name]))
            except ValidationError as error:
                self.add_error(name, error)

    def _paths(self, values: dict[str, Any]) -> tuple[PathFilter, ...]:
        """Return the filters on values within JSON. Too many are an error of each."""
        try:
            return path_filters(values)
        except ValidationError as error:
            for name in list(filter(is_path, values)):
                self.add_error(name, error)
            return ()

    def _look_up(self, values: dict[str, Any]) -> None:
        """Replace the values of the page's form by those that logs have."""
        if self.has_logs:
            self._read_commas(values, self.has_logs)
        if self.spellings and not values["cursor"]:
            self._read_letter_case(values, self.spellings)

    def _read_commas(self, values: dict[str, Any], has_logs: HasLogs) -> None:
        """Replace the values of accounts, types and users by those that `KeyValues` reads."""
        reader = KeyValues(has_logs)
        for name in LOOKED_UP:
            texts = self[name].value() or []
            value_of = partial(_value_of, words=SPELLED[name])
            read = [value for text in texts for value in reader.read(name, text, value_of)]
            values[name] = tuple(dict.fromkeys(read))

    def _read_letter_case(self, values: dict[str, Any], spellings: Spellings) -> None:
        """Replace values in another letter case by their spellings in logs."""
        for each in FILTERS.values():
            if each.kind.is_multiple:
                name = each.parameter
                texts = [spelled for text in values[name] for spelled in spellings(each.attribute, text)]
                values[name] = tuple(dict.fromkeys(texts))

    def query(self) -> PageQuery:
        """Return the page query of a valid form: plan, start and limit.

        Raises cursor.BadCursor.
        """
        query = self.first_page()
        start: Position | Around | None = None
        if log_id := self.cleaned_data["around"]:
            start = Around(log_id)
        elif moment := self.cleaned_data["at"]:
            start = begin_at(moment)
        elif text := self.cleaned_data["cursor"]:
            plan, start = cursor.resolve(text, query.plan)
            query = replace(query, plan=plan)
        return query.at(start)

    def first_page(self) -> PageQuery:
        """Return the first page of a valid form's filter."""
        limit: int | None = self.cleaned_data["limit"]
        plan = make_plan(self.log_filter, conf.shards(), includes_own=self.includes_own)
        return PageQuery(plan, None, self.default_limit if limit is None else limit)

    def _check_parameters(self, data: QueryDict) -> None:
        """Refuse every parameter that would be ignored: the page would look like the one requested."""
        for name, values in data.lists():
            if name in self.fields:
                if not self.is_utf_8 and NOT_UTF_8 in name:
                    self.add_error(name, "The name of this parameter is not text in UTF-8.")
                if len(values) > 1 and not isinstance(self.fields[name], ValuesField):
                    self.add_error(name, "This is given more than once; give one value.")
                if not self.is_utf_8 and any(NOT_UTF_8 in value for value in values):
                    self.add_error(name, "This is not text in UTF-8.")
                if self.strict and not all(map(strip, values)):
                    self.add_error(name, "This is empty: omit it, or give a value.")
            elif is_path(name):
                raise ValidationError(too_many_paths(data), params={"name": name[:MAX_QUOTED]})
            elif self.strict or name not in ADMIN_PARAMETERS:
                raise ValidationError(
                    "There is no filter “%(quoted)s”. The filters are: %(filters)s.",
                    params={
                        "name": name[:MAX_QUOTED],
                        "quoted": quoted(name),
                        "filters": ", ".join(self.fields),
                    },
                )

    def errors_by_parameter(self) -> dict[str, list[str]]:
        """Return the errors by parameter. Unknown parameters are included."""
        messages: dict[str, list[str]] = {}
        for name, errors in self.errors.as_data().items():
            for error in errors:
                parameter = (error.params or {}).get("name", name) if name == NON_FIELD_ERRORS else name
                messages.setdefault(parameter, []).extend(error.messages)
        return messages


def _value_of(text: str, words: Mapping[str, str]) -> str:
    """Return the value of a text, or an empty text if it is no valid value."""
    try:
        return spelling.read(TextField().clean(text) or "", words)
    except ValidationError:
        return ""


def _is_utf_8(raw: str) -> bool:
    """Return whether a query string, as WSGI passes it, has only bytes of UTF-8."""
    try:
        unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        return False
    return True


def parameters(log_filter: LogFilter, limit: int, default_limit: int = DEFAULT_LIMIT) -> Parameters:
    """Return the query string's parameters for a filter, without default values."""
    values: dict[str, Any] = {FILTERS[name].parameter: value for name, value in log_filter.values.items()}
    values |= {each.parameter: each.values for each in log_filter.paths}
    values["case"] = ON if log_filter.match_case else None
    values["from"] = format_time(log_filter.start) if log_filter.start else None
    values["to"] = format_time(log_filter.end) if log_filter.end else None
    values["order"] = log_filter.order.value if log_filter.order is not Order.NEWEST else None
    values["limit"] = limit if limit != default_limit else None
    return {name: _spelled(name, value) for name, value in values.items() if value is not None}


def _spelled(name: str, value: Any) -> str | list[str]:
    """Return a value, or several, as the page's form spells them."""
    words = _spelled_words([name]).get(name)
    if words is None:
        return str(value)
    if isinstance(value, tuple):
        return [spelling.write(each, words).replace(",", "\\,") for each in value]
    return spelling.write(value, words)


def _spelled_words(names: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Return the words of the filters whose values the form may spell otherwise, by parameter."""
    return {name: SPELLED.get(name, {}) for name in names if name in SPELLED or is_path(name)}
