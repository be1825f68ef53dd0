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
