"""Mask JSON as text: spaces, numbers and repeated names stay as they are."""

import json
import re
from collections.abc import Callable

from ingest.masking.edits import Edits
from ingest.masking.encodings import may_have_base64
from ingest.masking.json_values import STRING, mask_value
from ingest.masking.names import NameMatch
from ingest.masking.rules import MASK, Rules
from ingest.messages import DEFLATE, LogMessage

# The fields of a log that hold what an application sends. The others are identities, names and times.
MASKED_FIELDS = {"payload", "url", "summary"}
UNMASKED_FIELDS = LogMessage.model_fields.keys() - MASKED_FIELDS

# A text that may be JSON. A JSON text within a JSON text is one string.
_START = re.compile(
    r"""[\s\ufeff]*+(?:
        "(?:[^"\\]++|\\.)*+"\s*+\Z
        | \{\s*+(?:["}]|\Z)
        | \[\s*+(?:[\[{"\]]|(?:-?\d[\d.eE+-]*+|true|false|null)\s*+[,\]])
    )""",
    re.VERBOSE | re.DOTALL,
)
# Everything before the next string, the string, and the colon behind it if it is the name of a member.
_TOKEN = re.compile(
    r'(?P<structure>[^"]*+)(?:"(?P<content>(?:[^"\\]++|\\.)*+)"?+(?P<colon>\s*+:\s*+)?)?', re.DOTALL
)
_NUMBER = re.compile(r"-?\d[\d.eE+-]*+")
_FIRST_OPENING = re.compile(r"[\[{]|\Z")
# A longer structure between two strings may hold the number of a card.
MAX_STRUCTURE_CHARACTERS = 8

# A pair in a list of pairs: `[["password", "x"], …]`.
_PAIR_START = re.compile(r"(?:\[|\]\s*,)\s*\[\s*\Z")
MAX_PAIR_START_CHARACTERS = 64
_COMMA = re.compile(r"\s*+,\s*+")
# The members of an object that describes a field: `{"name": "password", "value": "x"}`.
_NAME_MEMBERS = {"name", "key", "field", "header"}
_VALUE_MEMBERS = {"value", "values", "old", "new", "oldvalue", "newvalue", "from", "to", "before", "after"}
MAX_MEMBER_CHARACTERS = 16


def may_be_json(text: str) -> bool:
    """Return whether a text begins as a JSON list or object."""
    return _START.match(text) is not None


class NotJson(ValueError):
    """A text that begins as JSON has a field's name outside of strings."""


class JsonMasking:
    """Masks one JSON text, which may be cut off or damaged.

    `mask_text`, `mask_url` and `mask_compressed` mask the strings in it. `is_log` states that the outermost
    object is a log.
    """

    def __init__(
        self,
        rules: Rules,
        mask_text: Callable[[str], str],
        mask_url: Callable[[str], str],
        mask_compressed: Callable[[str], str],
        *,
        is_log: bool,
    ) -> None:
        self._rules = rules
        self._mask_text = mask_text
        self._mask_url = mask_url
        self._mask_compressed = mask_compressed
        self._is_log = is_log
        self._max_structure = 0 if rules.patterns else MAX_STRUCTURE_CHARACTERS
        self._depth = 0
        # The depth of the members of an object whose `name` matches.
        self._pair_depth: int | None = None

    def mask(self, text: str) -> str:
        """Return the text masked, or the same object if nothing matches. Raise NotJson."""
        edits = Edits(text)
        position = 0
        match = _TOKEN.match
        while token := match(text, position):
            structure, content, colon = token.groups()
            # Most are a comma, which has no number and keeps the depth.
            if structure and structure != ",":
                if len(structure) > self._max_structure and not structure.isspace():
                    edits.replace(position, position + len(structure), self._structure(structure))
                self._track_depth(structure)
            if content is None:
                break
            mask_string = self._member if colon else self._item
            position = mask_string(text, token, edits)
        return edits.result()

    def _track_depth(self, structure: str) -> None:
        if self._pair_depth is not None:
            opening = _FIRST_OPENING.search(structure)
            head = structure[: opening.start() if opening else None]
            if self._depth - head.count("}") - head.count("]") < self._pair_depth:
                self._pair_depth = None
        self._depth += structure.count("{") + structure.count("[")
        self._depth -= structure.count("}") + structure.count("]")

    def _member(self, text: str, token: re.Match[str], edits: Edits) -> int:
        """Mask the value of a member unless it is a list or object. Return the position to continue at."""
        name, position = _decode(token["content"]), token.end()
        value = STRING.match(text, position) if text.startswith('"', position) else None
        if name == DEFLATE and value:
            return self._replace_string(value, edits, self._mask_compressed)
        if self._is_log and self._depth == 1:
            if name in UNMASKED_FIELDS:
                return value.end() if value else _end_of_number(text, position)
            if name == "url" and value:
                return self._replace_string(value, edits, self._mask_url)
        if match := self._match(name, value):
            return self._replace_value(text, position, match, edits)
        return self._replace_string(value, edits, self._mask_text) if value else position

    def _match(self, name: str, value: re.Match[str] | None) -> NameMatch:
        """Return how the name of a member matches, or the name that the object has as a member."""
        member = name.lower() if len(name) <= MAX_MEMBER_CHARACTERS else ""
        if self._depth == self._pair_depth and member.replace("_", "") in _VALUE_MEMBERS:
            return NameMatch.EXACT
        if value and member in _NAME_MEMBERS and self._rules.names.match(_decode(value["content"])):
            self._pair_depth = self._depth
        return self._rules.names.match(name)

    def _item(self, text: str, token: re.Match[str], edits: Edits) -> int:
        """Mask a string, or the value behind it in a pair. Return the position to continue at."""
        structure, content = token["structure"], token["content"]
        if "[" in structure and _PAIR_START.search(structure[-MAX_PAIR_START_CHARACTERS:]):
            comma = _COMMA.match(text, token.end())
            match = self._rules.names.match(_decode(content)) if comma else NameMatch.NONE
            if comma and match:
                return self._replace_value(text, comma.end(), match, edits)
        return self._replace_string(token, edits, self._mask_text)

    def _replace_string(self, string: re.Match[str], edits: Edits, mask: Callable[[str], str]) -> int:
        content = string["content"]
        masked = self._string(content, mask)
        if masked is not content:
            edits.replace(*string.span("content"), masked)
        return string.end()

    @staticmethod
    def _replace_value(text: str, position: int, match: NameMatch, edits: Edits) -> int:
        end, masked = mask_value(text, position, match)
        edits.replace(position, end, masked)
        return end

    def _string(self, content: str, mask: Callable[[str], str]) -> str:
        """Return the content of a string masked. It stays as it is spelled unless something matches."""
        if len(content) < self._rules.min_characters:
            return content
        if not self._rules.may_match(content) and not may_have_base64(content):
            return content
        decoded = _decode(content)
        masked = mask(decoded)
        if masked == decoded:
            return content
        is_escaped = content.isascii() or "\\u" in content
        return json.dumps(masked, ensure_ascii=is_escaped)[1:-1]

    def _structure(self, text: str) -> str:
        """Return the text between two strings with its numbers masked. Raise NotJson."""
        if self._rules.names.core.search(text):
            raise NotJson("a name is outside of the strings")
        if self._rules.patterns or self._rules.may_have_card(text):
            return _NUMBER.sub(self._number, text)
        return text

    def _number(self, number: re.Match[str]) -> str:
        return number[0] if self._rules.mask_values(number[0]) == number[0] else f'"{MASK}"'


def _decode(content: str) -> str:
    """Return the text of a JSON string's content, or the content if it is invalid."""
    if "\\" not in content:
        return content
    try:
        text: str = json.loads(f'"{content}"', strict=False)
    except ValueError:
        return content
    return text


def _end_of_number(text: str, position: int) -> int:
    number = _NUMBER.match(text, position)
    return number.end() if number else position
