"""The form of a run: its parameters, and how far it has come."""

from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from ingest.cli.dlq.dead_letter import LABELS
from ingest.cli.dlq.rate import DEFAULT_RATE, parse_rate
from logs import times
from logsite.dead_letters.queues import MAX_ROWS
from logsite.dead_letters.run import DISCARD, REPLAY, Selection

ACTIONS = (REPLAY, DISCARD)
# A step waits for the rate, so a slower one would not fit into a request.
MIN_RATE, MAX_RATE = 1, 100
MAX_REASON = 200
MAX_ID = 100
MAX_COUNT = 10**9


class RunForm(forms.Form):
    """The parameters of a run. Hidden fields carry them from one step to the next.

    - `ids`: message ids, or `code`: all dead letters of this reason.
    - `started`: the time of the first step.
    - `done`: the number of dead letters so far.
    - `idle`: the number of steps in a row without one.
    """

    action = forms.CharField()
    code = forms.CharField(required=False)
    rate = forms.CharField(required=False)
    reason = forms.CharField(required=False)
    started = forms.CharField(required=False)
    done = forms.CharField(required=False)
    idle = forms.CharField(required=False)

    def clean_action(self) -> str:
        """Return the action."""
        return _choice(self.cleaned_data["action"], ACTIONS)

    def clean_code(self) -> str:
        """Return the label of a reason, or an empty text."""
        code = self.cleaned_data["code"]
        return _choice(code, LABELS) if code else ""

    def clean_rate(self) -> float:
        """Return the dead letters per second."""
        try:
            return parse_rate(self.cleaned_data["rate"] or f"{DEFAULT_RATE:g}", MIN_RATE, MAX_RATE)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_reason(self) -> str:
        """Return why dead letters are discarded."""
        reason: str = self.cleaned_data["reason"]
        if len(reason) > MAX_REASON:
            raise forms.ValidationError(f"must have at most {MAX_REASON} characters, not {len(reason)}")
        return reason

    def clean_started(self) -> datetime:
        """Return the time of the first step, which is now by default."""
        text, now = self.cleaned_data["started"], datetime.now(UTC)
        try:
            started = times.parse(text) if text else now
        except ValueError:
            raise forms.ValidationError(f"must be a time, not {text!r}") from None
        # A run that starts in the future would replay rejected messages for ever.
        return min(started, now)

    def clean_done(self) -> int:
        """Return the number of dead letters so far."""
        return _count(self.cleaned_data["done"])

    def clean_idle(self) -> int:
        """Return the number of steps in a row without a dead letter."""
        return _count(self.cleaned_data["idle"])

    def clean(self) -> dict[str, Any]:
        """Return the values. Add an error for a discard without a reason, and for too many ids."""
        ids = self.ids
        if len(ids) > MAX_ROWS or any(len(each) > MAX_ID for each in ids):
            self.add_error(None, f"ids must be at most {MAX_ROWS} message ids, not {len(ids):,}")
        if not ids and self.cleaned_data.get("code") == "":
            self.add_error(None, f"Select dead letters, or a reason: code must be one of {', '.join(LABELS)}")
        if self.cleaned_data.get("action") == DISCARD and self.cleaned_data.get("reason") == "":
            self.add_error("reason", "is required to discard dead letters")
        return self.cleaned_data

    @property
    def ids(self) -> list[str]:
        """Return the message ids."""
        return list(dict.fromkeys(cast("QueryDict", self.data).getlist("ids")))

    @property
    def selection(self) -> Selection:
        """Return the selected dead letters of a valid form."""
        return Selection(frozenset(self.ids), self.cleaned_data["code"], self.cleaned_data["started"])

    def problems(self) -> list[str]:
        """Return each error with its parameter."""
        return [
            f"{name}: {each}" if name != NON_FIELD_ERRORS else str(each)
            for name, errors in self.errors.items()
            for each in errors
        ]


def hidden_fields(form: RunForm, ids: list[str], done: int, idle: int) -> list[tuple[str, str]]:
    """Return names and values of the hidden fields of the next step."""
    data = form.cleaned_data
    values = {
        "action": data["action"],
        "code": data["code"],
        "rate": f"{data['rate']:g}",
        "reason": data["reason"],
        "started": times.to_text(data["started"]),
        "done": str(done),
        "idle": str(idle),
    }
    return [*values.items(), *(("ids", each) for each in ids)]


def _choice(value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise forms.ValidationError(f"must be one of {', '.join(choices)}, not {value[:MAX_REASON]!r}")
    return value


def _count(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise forms.ValidationError(f"must be a whole number below {MAX_COUNT:,}, not {text[:20]!r}")
    return int(text)
