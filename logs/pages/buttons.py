"""The buttons of the filter's form: each sends it and changes one thing.

A button's name begins with `set_`. The response is a redirect to the address of the filter as typed, with
the change. What comes after an `@` in a button's value is the time at which the new page begins.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from logs.fields import quoted
from logs.filters import Order
from logs.page_form import moments
from logs.pages import preferences
from logs.pages.preferences import NUMBERS, READERS, Preferences

# These choose a page. A changed filter begins at its first page.
PLACES = ("at", "around", "cursor")


def _set_order(data: QueryDict, value: str) -> None:
    data["order"] = "" if value == Order.NEWEST else value


def _set_range(data: QueryDict, value: str) -> None:
    data["range"] = value
    data["from"] = data["to"] = ""


def _set_zone(data: QueryDict, value: str) -> None:
    """Choose a time zone. The range stays the same, so its clock times change."""
    for name, text in moments(data).items():
        data[name] = text
    data["tz"] = value


def _set_limit(data: QueryDict, value: str) -> None:
    """Show an invalid page size as an error. A valid one is a preference."""
    data["limit"] = value


def _reject_columns(data: QueryDict, value: str) -> None:
    """Refuse other columns. Valid ones are a preference. Raises BadRequest."""
    raise BadRequest(preferences.invalid("columns", "set_columns", value))


def _reject_density(data: QueryDict, value: str) -> None:
    """Refuse another density. A valid one is a preference. Raises BadRequest."""
    raise BadRequest(preferences.invalid("density", "set_density", value))


def _reject_numbers(data: QueryDict, value: str) -> None:
    """Refuse another choice. A valid one is a preference. Raises BadRequest."""
    raise BadRequest(f"set_numbers must be {' or '.join(NUMBERS)}, not “{quoted(value)}”.")


# button → what it changes in the address
CHANGES: dict[str, Callable[[QueryDict, str], None]] = {
    # The text field for another zone. A button for a zone wins.
    "set_zone": _set_zone,
    "set_tz": _set_zone,
    "set_range": _set_range,
    "set_order": _set_order,
    "set_limit": _set_limit,
    "set_columns": _reject_columns,
    "set_density": _reject_density,
    "set_numbers": _reject_numbers,
}
# button → the preference that keeps a valid value. The address then leaves it out.
KEPT = {
    "set_limit": "limit",
    "set_columns": "columns",
    "set_density": "density",
    "set_numbers": "numbers",
}
# The preferences that a saved view has too. On its page, a button changes the address and not the cookie.
OF_VIEWS = ("limit", "columns", "density")


@dataclass(frozen=True)
class Pressed:
    """The query string to which a button leads, and the new preferences."""

    query: str
    preferences: Preferences


def redirect(request: HttpRequest, current: Preferences) -> HttpResponse | None:
    """Return the redirect of a button, or None if none was pressed."""
    pressed = press(request.GET, current)
    if pressed is None:
        return None
    query = f"?{pressed.query}" if pressed.query else ""
    # The menu of the columns stays open: a fragment within it opens it.
    fragment = "#logs-columns" if request.GET.get("set_columns") else ""
    response = HttpResponseRedirect(f"{request.path}{query}{fragment}")
    if pressed.preferences != current:
        preferences.write(response, pressed.preferences, request.path)
    return response


def without_empty_buttons(data: QueryDict) -> QueryDict:
    """Return parameters without unused ones of buttons, such as an empty `set_zone`."""
    if not any(name in CHANGES for name in data):
        return data
    data = data.copy()
    for name in CHANGES:
        if not data.get(name):
            data.pop(name, None)
    return data


def press(data: QueryDict, current: Preferences) -> Pressed | None:
    """Return what the buttons among the parameters do, or None if there are none. Raises BadRequest."""
    pressed = {name: text for name in CHANGES if (text := str(data.get(name, "")))}
    if not pressed:
        return None
    data = data.copy()
    for name in (*CHANGES, *PLACES):
        data.pop(name, None)
    kept = {}
    for name, text in pressed.items():
        # The text field is typed by hand.
        value, _, place = (text, "", "") if name == "set_zone" else text.partition("@")
        if place:
            data["at"] = place
        try:
            preference = READERS[KEPT[name]](value)
            if data.get("view") and KEPT[name] in OF_VIEWS:
                data[KEPT[name]] = str(preference)
            else:
                kept[KEPT[name]] = preference
                data.pop(KEPT[name], None)
        except (KeyError, ValueError):
            CHANGES[name](data, value)
    return Pressed(_without_empty(data).urlencode(), replace(current, **kept))


def _without_empty(data: QueryDict) -> QueryDict:
    """Return parameters without empty values."""
    full = QueryDict(mutable=True)
    for name, texts in data.lists():
        if texts := [text for text in texts if text.strip()]:
            full.setlist(name, texts)
    return full
