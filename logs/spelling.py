"""How the page's form spells the values of filters. The API takes values as they are. No Django.

The form reads what the pages show, so a value that was copied from a page finds its logs.
"""

import re
from collections.abc import Mapping

from logs.characters import original

# A comma between values; `\,` is a comma within a value.
COMMA = re.compile(r"(?<!\\),")


def split(text: str) -> list[str]:
    """Return the values of a text in which commas separate values."""
    return [unescape(part) for part in COMMA.split(text)]


def unescape(text: str) -> str:
    r"""Return a text with a comma for each `\,`."""
    return text.replace("\\,", ",")


def read(text: str, words: Mapping[str, str]) -> str:
    r"""Return the value of a text in the form.

    `words` has the value of each text that a page shows instead. An escape such as `\u200b` is the invisible
    character. After a backslash, a word or an escape is the value itself.
    """
    value = original(text)
    if text.startswith("\\") and value.startswith("\\") and _is_read_otherwise(text[1:], words):
        return text[1:]
    return words.get(text.casefold(), value)


def write(value: str, words: Mapping[str, str]) -> str:
    """Return the text in the form that `read` reads as this value."""
    if value == "":
        return next((text for text, meaning in words.items() if meaning == ""), "")
    return f"\\{value}" if _is_read_otherwise(value, words) else value


def _is_read_otherwise(value: str, words: Mapping[str, str]) -> bool:
    return value.lstrip("\\").casefold() in words or original(value) != value
