"""The columns of the listing: their values, and the attributes that they show. No Django."""

from dataclasses import dataclass

from logs.filters import EXCLUDED, FILTERS


@dataclass(frozen=True)
class Column:
    """A column beside the time.

    `mark` is the class of its cells, empty if they need none. `attributes` are those of a log that it shows,
    each as a value of its own, in this order.
    """

    name: str
    label: str
    mark: str
    attributes: tuple[str, ...]

    @property
    def filters(self) -> str:
        """Return what each value can do, for `rows.js`.

        It is the parameter that filters by the value, with `-` before it if the value can be excluded, or `.`
        if there is no such filter.
        """
        return " ".join(_filter(name) for name in self.attributes)


def _filter(name: str) -> str:
    if name not in FILTERS:
        return "."
    return f"-{name}" if f"{EXCLUDED}{name}" in FILTERS else name


# Beside these, an object shows its key, and a URL if the log has no object.
COLUMNS = {
    column.name: column
    for column in (
        Column("account", "Account", "a", ("account_id",)),
        Column("user", "User", "u", ("user_id", "user_name")),
        Column("what", "What", "w", ("type", "sub_type")),
        Column("object", "Object, URL", "", ("object", "url")),
        Column("summary", "Summary", "", ("summary",)),
        Column(
            "client",
            "Client",
            "c",
            ("submitter_city", "submitter_country", "submitter_platform", "submitter_browser"),
        ),
    )
}
DEFAULT_COLUMNS = tuple(COLUMNS)
# The attributes of a value that is no attribute of a log.
OBJECT_ATTRIBUTES = ("object_type", "object_id", "object_name")
SEPARATOR = "."


@dataclass(frozen=True)
class ColumnChoice:
    """A column that a reader can show or hide, and move.

    `toggled` has the columns after it was shown or hidden, `earlier` those after it was moved one place to
    the front. Each is None if that is not possible.
    """

    label: str
    is_shown: bool
    toggled: str | None
    earlier: str | None = None


def read_columns(text: str) -> tuple[str, ...]:
    """Return the names of columns in their order. Raises ValueError unless all exist, each once."""
    names = tuple(text.split(SEPARATOR))
    if not set(names) <= COLUMNS.keys() or len(set(names)) != len(names):
        raise ValueError(text)
    return names


def write_columns(names: tuple[str, ...]) -> str:
    """Return the text that `read_columns` reads."""
    return SEPARATOR.join(names)


def column_attributes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes of a log that columns show, after its time."""
    shown = [name for column in names for name in COLUMNS[column].attributes]
    attributes = [each for name in shown for each in (OBJECT_ATTRIBUTES if name == "object" else (name,))]
    return ("created_at", *attributes)


def column_choices(names: tuple[str, ...]) -> list[ColumnChoice]:
    """Return a choice for each column: first those that are shown."""
    shown = [
        ColumnChoice(
            COLUMNS[name].label,
            is_shown=True,
            # One column stays.
            toggled=write_columns((*names[:index], *names[index + 1 :])) if len(names) > 1 else None,
            earlier=write_columns((*names[: index - 1], name, names[index - 1], *names[index + 1 :]))
            if index
            else None,
        )
        for index, name in enumerate(names)
    ]
    hidden = [
        ColumnChoice(column.label, is_shown=False, toggled=write_columns((*names, name)))
        for name, column in COLUMNS.items()
        if name not in names
    ]
    return shown + hidden
