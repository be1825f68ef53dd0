"""The rows of the listing, as HTML.

A template would look up thousands of names for one page. Every value goes through `value_html`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from html import escape
from urllib.parse import urlencode

from django.utils.safestring import SafeString, mark_safe

from logs import times, zones
from logs.characters import visible
from logs.models import NO_ONE, LogItem, object_key
from logs.pages.address import Address
from logs.pages.columns import COLUMNS, DEFAULT_COLUMNS
from logs.pages.display import display_weekday, display_who
from logs.pages.marks import Excerpt, Marks, Span
from logs.pages.value_links import ValueLinks
from logs.storage.raw_items import stored_texts

CLIENT = COLUMNS["client"].attributes
# A value of the rows that repeats is escaped once. Most values are short.
MAX_KEPT = 2_000

# The texts of a log and of its context, as they are stored.
Values = Mapping[str, str]


@dataclass(frozen=True)
class RowOptions:
    """How the rows are shown.

    `panes` has the content of the open rows by the ids of their logs, `labels` the project's names of ids by
    kind: `account`, `user` or `object`.
    """

    columns: Sequence[str] = DEFAULT_COLUMNS
    zone: tzinfo = UTC
    colors: Mapping[str, str] = field(default_factory=dict)
    marks: Marks | None = None
    selected: str | None = None
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    panes: Mapping[str, SafeString] = field(default_factory=dict)


def value_html(text: str, spans: Iterable[Span] = ()) -> str:
    """Return a visible text as HTML, with its matches in `<mark>`.

    Only a text outside ASCII can have right-to-left letters, and is isolated.
    """
    if spans:
        parts, position = [], 0
        for start, end in spans:
            parts.append(f"{escape(text[position:start])}<mark>{escape(text[start:end])}</mark>")
            position = end
        html = "".join([*parts, escape(text[position:])])
    else:
        html = text if text.isalnum() else escape(text)
    return html if text.isascii() else f"<bdi>{html}</bdi>"


def render_rows(address: Address, items: Iterable[LogItem], options: RowOptions | None = None) -> SafeString:
    """Return the table rows of logs, with a row for each day."""
    rows = _Rows(address, options or RowOptions())
    return mark_safe("".join(rows.html(items)))  # noqa: S308  every value is escaped by value_html


class _Rows:
    """The rows of one page. A cell is a function of the attributes of a log."""

    def __init__(self, address: Address, options: RowOptions) -> None:
        self._options = options
        self._links = ValueLinks(address)
        self._values: dict[str, str] = {}
        # The logs of one user usually come from one client.
        self._clients: dict[tuple[str, ...], str] = {}
        cells: dict[str, Callable[[Values], str]] = {
            "account": self._account,
            "user": self._user,
            "what": self._what,
            "object": self._object,
            "summary": self._summary,
            "client": self._client,
        }
        self._cells = [(_start_tag(COLUMNS[name].mark), cells[name]) for name in options.columns]
        # The page of a log shows its times in the same zone.
        zone = zones.name(options.zone)
        self._suffix = "" if zone == "UTC" else f"?{urlencode({'tz': zone})}"
        self._width = len(self._cells) + 1
        self._shown = {name for column in options.columns for name in COLUMNS[column].attributes}

    def html(self, items: Iterable[LogItem]) -> Iterator[str]:
        """Yield the rows. End tags that HTML does not need are omitted: they are a tenth of the page."""
        day = None
        for item in items:
            values = stored_texts(item)
            # No character of a time in this format is special in HTML.
            created_at = times.stored(values["created_at"])
            local = self._local(created_at)
            if (today := local[:10]) != day:
                day = today
                weekday = display_weekday(date.fromisoformat(day))
                yield f"<tr data-day={day}><td colspan={self._width}>{weekday}"
            yield self._row(values, created_at, local)
            if excerpt := self._excerpt(item):
                yield f"<tr class=excerpt><td colspan={self._width}>{excerpt}"
            if pane := self._options.panes.get(values["id"]):
                yield f"<tr class=pane><td colspan={self._width}>{pane}"

    def _row(self, values: Values, created_at: str, local: str) -> str:
        log_id = values["id"]
        cells = "".join([f"{start}{cell(values)}" for start, cell in self._cells])
        selected = " class=selected aria-current=true" if log_id == self._options.selected else ""
        is_open = log_id in self._options.panes
        id_html = self._value(log_id)
        button = f'"-{id_html}" aria-expanded=true' if is_open else f'"{id_html}"'
        time = f"<time datetime={created_at[:26]}Z>{local[11:19]}<i>{local[19:23]}</i></time>"
        return (
            f'<tr id="log-{id_html}"{selected}><th scope=row>'
            f"<button name=open value={button}>Details</button>"
            f'<a href="{id_html}/change/{self._suffix}">{time}</a>{cells}'
        )

    def _local(self, created_at: str) -> str:
        """Return a time in the stored format, which is in UTC, in the zone of the rows."""
        zone = self._options.zone
        if zone is UTC:
            return created_at
        return times.parse(created_at).astimezone(zone).isoformat(timespec="microseconds")

    def _value(self, text: str) -> str:
        """Return a value without matches as HTML."""
        html = self._values.get(text)
        if html is None:
            html = value_html(visible(text))
            if len(self._values) < MAX_KEPT:
                self._values[text] = html
        return html

    def _marked(self, attribute: str, text: str) -> str:
        """Return a value that may have matches as HTML."""
        if self._options.marks:
            shown = visible(text)
            if spans := self._options.marks.spans(attribute, shown):
                return value_html(shown, spans)
        return self._value(text)

    def _account(self, values: Values) -> str:
        account = values["account_id"]
        name = self._name("", self._label("account", account))
        return f'<a href="{self._links.narrow(account_id=account)}">{self._who(account)}</a>{name}'

    def _user(self, values: Values) -> str:
        user = values["user_id"]
        # Another account may have a user with this id.
        href = self._links.narrow(account_id=values["account_id"], user_id=user)
        name = self._name("user_name", values.get("user_name") or self._label("user", user))
        return f'<a href="{href}">{self._who(user)}</a>{name}'

    def _label(self, kind: str, key: str) -> str | None:
        return self._options.labels.get(kind, {}).get(key)

    def _name(self, attribute: str, name: str | None) -> str:
        return f" <i>{self._marked(attribute, name)}</i>" if name else ""

    def _who(self, name: str) -> str:
        return display_who(name) if name == NO_ONE else self._value(name)

    def _what(self, values: Values) -> str:
        type_, sub_type = values["type"], values["sub_type"]
        color = self._options.colors.get(type_)
        mark = f" class={color}" if color else ""
        text = f" <i>{self._value(sub_type)}</i>" if sub_type else ""
        return f'<a{mark} href="{self._links.narrow(type=type_)}">{self._value(type_)}</a>{text}'

    def _object(self, values: Values) -> str:
        """Return the link to the history of a log's object, or its URL if it has none."""
        key = object_key(values.get("object_type"), values.get("object_id"))
        if key is None:
            url = values["url"]
            return f"<code>{self._marked('url', url)}</code>" if url else "—"
        # Another account may have an object of this name.
        href = self._links.narrow(account_id=values["account_id"], object=key)
        name = values.get("object_name") or self._label("object", key)
        return f'<a href="{href}">{self._marked("object_name", name) if name else self._value(key)}</a>'

    def _summary(self, values: Values) -> str:
        summary = values.get("summary")
        return f"<i>{self._marked('summary', summary)}</i>" if summary else ""

    def _client(self, values: Values) -> str:
        texts = tuple([values.get(name) or "" for name in CLIENT])
        html = self._clients.get(texts)
        if html is None:
            html = self._clients[texts] = self._client_html(*texts)
        return html

    def _client_html(self, *texts: str) -> str:
        city, country, platform, browser = texts
        if not any(texts):
            return "—"
        place = ", " if city and country else " "
        device = " · " if platform and browser else " "
        htmls = [f"<i>{self._value(text)}</i>" for text in texts]
        return f"{htmls[0]}{place}{htmls[1]} {htmls[2]}{device}{htmls[3]}"

    def _excerpt(self, item: LogItem) -> str:
        """Return the surroundings of a match that no cell shows."""
        if self._options.marks is None:
            return ""
        shown = self._shown
        if "object" in shown and object_key(item.object_type, item.object_id):
            shown = shown - {"url"} | {"object_name"}
        excerpt = self._options.marks.excerpt(item, shown)
        return _excerpt_html(excerpt) if excerpt else ""


def _start_tag(mark: str) -> str:
    return f"<td class={mark}>" if mark else "<td>"


def _excerpt_html(excerpt: Excerpt) -> str:
    parts = [(escape(visible(text, multiline=True)), is_match) for text, is_match in excerpt.parts]
    texts = "".join(f"<mark>{text}</mark>" if is_match else text for text, is_match in parts)
    return f"{excerpt.label}: <bdi>{texts}</bdi>"
