"""The payload of a log: as a tree, indented, or as sent."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.safestring import SafeString

from logs import conf
from logs.pages.changes import ChangeTable, read_changes
from logs.pages.json_tree import NO_JSON, cut, make_tree, parse
from logs.pages.response_size import truncate

# The forms by the values of the parameter `view`. Only JSON has the first two.
FORMS = {"tree": "Tree", "raw": "Raw", "sent": "As sent"}
# What a page shows of a payload, in bytes: at first, and at most.
FIRST_BYTES, ALL_BYTES = 200_000, 2_000_000
# The size in a response. The other parts of the page take less than 3.5 MB of its 6 MB.
MAX_SIZE = 2_400_000
# A text that would be longer with indentation is shown as sent: deeply nested JSON grows a hundredfold.
MAX_INDENTED = 1_500_000


@dataclass(frozen=True)
class Shown:
    """A tree or a text, and whether it is only the beginning.

    `characters` is the number of characters of a truncated text.
    """

    tree: SafeString | None
    text: str
    is_truncated: bool
    characters: int = 0


class Payload:
    """A payload, or the extra fields of a log."""

    def __init__(self, text: str, form: str = "", limit: int = FIRST_BYTES, size: int = MAX_SIZE) -> None:
        """Show a text in a form of FORMS, or in the best one.

        `limit` is in bytes of the payload, `size` in bytes of the response.
        """
        self.text = text
        self.limit, self.size = limit, size
        self.form = (form or "tree") if self.is_json else "sent"

    @cached_property
    def value(self) -> Any:
        """Return the parsed object or array, or NO_JSON."""
        return parse(self.text)

    @property
    def is_json(self) -> bool:
        """Return whether the text is a JSON object or array."""
        return self.value is not NO_JSON

    @property
    def length(self) -> int:
        """Return the number of characters of the text in its form."""
        return len(self._formatted)

    @cached_property
    def changes(self) -> ChangeTable | None:
        """Return the changed fields that the payload names, or None."""
        return read_changes(self.value, conf.change_names()) if self.is_json else None

    @cached_property
    def shown(self) -> Shown:
        """Return the payload in its form, up to the limit."""
        if self.form == "tree":
            tree = make_tree(self.value, self.limit, self.size)
            return Shown(tree.html, "", tree.is_truncated)
        text = self._formatted
        beginning = truncate(cut(text, self.limit), self.size, multiline=True)
        return Shown(None, beginning.text, beginning.shown < len(text), beginning.shown)

    @cached_property
    def _formatted(self) -> str:
        return (indent(self.value) or self.text) if self.form == "raw" else self.text


def indent(value: Any) -> str | None:
    """Return a JSON value with indentation, or None if that is too long."""
    parts, size = [], 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
            parts.append(part)
            size += len(part)
            if size > MAX_INDENTED:
                return None
    except RecursionError:
        return None
    return "".join(parts)
