"""Form fields for the values of filters: times, texts, lists of texts, ids."""

import ipaddress
import re
import uuid
from copy import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.http import QueryDict

from logs import spelling, times, zones
from logs.characters import strip, visible
from logs.time_text import FIRST_YEAR, LAST_YEAR

MAX_BYTES = 500
# An error message quotes this many characters of a value.
MAX_QUOTED = 40

# In an address a `+` is a space: an offset that was typed by hand arrives with a space.
SPACED_OFFSET = re.compile(r"(?<=:\d\d) (?=\d{2}:?\d{2}$)")
# A number of bytes as the pages show it.
SHOWN_SIZE = re.compile(r"(\d{1,3}(?:,\d{3})*|\d+)(?: bytes)?")
# Times as the pages show them, beside ISO 8601.
SHOWN_DAY = "%d %b %Y"
SHOWN_TIMES = (SHOWN_DAY, *(f"{SHOWN_DAY} {clock}" for clock in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")))
TRACE_ID = re.compile("[0-9A-Fa-f]{32}")

# The values of a flag.
ON, OFF = "1", "0"

TEXT_INPUT: dict[str, str | bool] = {"autocomplete": "off", "spellcheck": "false"}
# The suggestions complete the last of several values.
SEVERAL_INPUT = {**TEXT_INPUT, "data-several": True}


def quoted(text: str) -> str:
    """Return the beginning of a value, as an error message shows it."""
    return visible(text[:MAX_QUOTED])


def format_time(moment: datetime) -> str:
    """Return a moment in UTC as an address writes it."""
    text = times.as_utc(moment).replace(tzinfo=None).isoformat()
    return text.removesuffix(":00") if moment.microsecond == 0 else text


class MomentField(forms.CharField):
    """An ISO 8601 time as a moment in UTC. Without an offset it is UTC."""

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        """Read a bare date as its first moment or, with `whole_day`, as the first moment after it."""
        super().__init__(**{"widget": forms.HiddenInput, "required": False, **kwargs})
        self.whole_day = whole_day

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            text = text.removesuffix("UTC").strip()
            moment = _shown_time(text) or times.parse(SPACED_OFFSET.sub("+", text))
        except ValueError as error:
            raise ValidationError(
                "“%(text)s” is not a time. Write it as 2026-11-17 or 2026-11-17T16:30 (UTC).",
                params={"text": quoted(text)},
            ) from error
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValidationError(f"The year must be from {FIRST_YEAR} to {LAST_YEAR}.")
        return moment + timedelta(days=1) if self.whole_day and _is_date(text) else moment


def _shown_time(text: str) -> datetime | None:
    """Return a time that is written as the pages show it, or None."""
    for form in SHOWN_TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return text.count(" ") == SHOWN_DAY.count(" ") and _shown_time(text) is not None
    return True


class ZoneField(forms.CharField):
    """An IANA name as a time zone, or None."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return zones.parse(text) if text else None
        except zones.UnknownZone as error:
            raise ValidationError(
                "“%(text)s” is not a time zone. Write an IANA name such as Europe/Berlin, or UTC.",
                params={"text": quoted(text)},
            ) from error


class SizeField(forms.IntegerField):
    """A number of bytes, also as the pages show it: `5,000 bytes`."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and (shown := SHOWN_SIZE.fullmatch(value.strip())):
            value = shown[1].replace(",", "")
        return super().to_python(value)


class TextField(forms.Field):
    """A text of at most 500 bytes, or None.

    White space at its ends is removed by the writer's rule, which a CharField does not apply. Other
    characters are compared as they are.
    """

    def __init__(self, *, allows_nul: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": forms.TextInput(attrs=TEXT_INPUT), **kwargs})
        if not allows_nul:
            self.validators.append(ProhibitNullCharactersValidator())

    def clean(self, value: Any) -> Any:
        text = strip(super().clean(value) or "")
        if len(text.encode(errors="replace")) > MAX_BYTES:
            raise ValidationError(f"This is over {MAX_BYTES} bytes long.")
        return text or None


class ValuesInput(forms.TextInput):
    """One text field for several values: repeated in the address, or separated by commas."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        if isinstance(data, QueryDict):
            return data.getlist(name)
        value = data.get(name, [])
        return [value] if isinstance(value, str) else value

    def format_value(self, value: Any) -> str | None:
        return ", ".join(value or []) or None


class ValuesField(forms.Field):
    """Several exact values, as a tuple without repetitions. Each has at most 500 bytes.

    With `joins_commas`, a text with commas is also one value of its own: no lookup decides which is meant.
    """

    def __init__(self, *, allows_nul: bool = False, joins_commas: bool = False, **kwargs: Any) -> None:
        super().__init__(required=False, widget=ValuesInput(attrs=SEVERAL_INPUT), **kwargs)
        self.has_commas = True
        self.joins_commas = joins_commas
        self.text = TextField(allows_nul=allows_nul)

    def clean(self, value: Any) -> Any:
        texts = [part for text in value for part in self._parts(text)]
        return tuple(dict.fromkeys(clean for text in texts if (clean := self.text.clean(text))))

    def without_commas(self) -> "ValuesField":
        """Return the field in which a comma is part of a value."""
        field = copy(self)
        field.has_commas = False
        return field

    def _parts(self, text: str) -> list[str]:
        if not self.has_commas:
            return [text]
        parts = spelling.split(text)
        # An escaped comma shows that the others separate values.
        is_whole = self.joins_commas and "," in text and "\\," not in text and len(text) <= MAX_BYTES
        return [*parts, text] if is_whole else parts


class ObjectsField(ValuesField):
    """Several objects, each as `type:id`. A comma is part of an id unless each part names an object."""

    def _parts(self, text: str) -> list[str]:
        parts = super()._parts(text)
        are_objects = all(":" in part for part in parts if strip(part))
        return parts if are_objects else [spelling.unescape(text)]


def account(text: str) -> str:
    """Return an account. Raises ValidationError for a `#`: it joins account and type in AccountTypeIndex."""
    if "#" in text:
        raise ValidationError("An account never contains a “#”.")
    return text


def object_value(text: str) -> str:
    """Return the key of an object. Raises ValidationError."""
    object_type, _, object_id = (strip(part) for part in text.partition(":"))
    if not (object_type and object_id):
        raise ValidationError(
            "“%(text)s” is not an object. Write its type and id as in invoice:4711.",
            params={"text": quoted(text)},
        )
    return f"{object_type}:{object_id}"


def ip_address(text: str) -> str:
    """Return an IP address as the writer stores it, in its shortest form. Raises ValidationError.

    A missing address stays an empty text.
    """
    if not text:
        return text
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError as error:
        raise ValidationError(
            "“%(text)s” is not an IP address. Write it as 203.0.113.7 or 2001:db8::7, without a port.",
            params={"text": quoted(text)},
        ) from error
    return str(getattr(address, "ipv4_mapped", None) or address)


def trace_id(text: str) -> str:
    """Return a trace ID as the writer stores it, in lower case. Raises ValidationError.

    A missing ID stays an empty text.
    """
    if text and not TRACE_ID.fullmatch(text):
        raise ValidationError("“%(text)s” is not a trace ID: 32 hex digits.", params={"text": quoted(text)})
    return text.lower()


class FlagInput(forms.CheckboxInput):
    """A check box with the value 1."""

    def __init__(self) -> None:
        super().__init__(check_test=lambda value: value == ON)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)

    def format_value(self, value: Any) -> str:
        return ON


class FlagField(forms.Field):
    """Whether something is on: 1 or 0. Without a value it is off."""

    widget = FlagInput

    def clean(self, value: Any) -> bool:
        if value in (None, "", OFF):
            return False
        if value != ON:
            raise ValidationError("“%(text)s” is not 1 or 0.", params={"text": quoted(value)})
        return True


class ChoiceField(forms.ChoiceField):
    """Django's field, but its error quotes the beginning of the value only."""

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")
        if value and not self.valid_value(value):
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": quoted(value)}
            )


class IdField(forms.CharField):
    """The id of a log as 32 hex digits, or None."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return uuid.UUID(text).hex if text else None
        except ValueError as error:
            raise ValidationError("This is not the id of a log: 32 hex digits.") from error
