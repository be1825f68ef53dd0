"""Names and values in forms, headers, log lines, XML and `repr` of Python."""

import re

from ingest.masking.edits import Edits
from ingest.masking.json_values import is_harmless, mask_container
from ingest.masking.names import FieldNames, NameMatch
from ingest.masking.rules import MASK

# The name of a field extends this far in both directions around the word that is searched for.
MAX_NAME_CHARACTERS = 64
_NAME_SYMBOLS = frozenset("_-.[]$%")
_NAME_END = re.compile(rf"(?:[\w.\-\[\]$]|%5[BbDd]){{0,{MAX_NAME_CHARACTERS}}}")

# The sign behind a name, with the quote that ends the name. The quote may be escaped, as in JSON within JSON,
# and the sign percent-encoded, as in a URL within a URL.
_SIGN = re.compile(
    r"""(?P<quote>\\*+["'])?[ \t]*+(?P<sign>=++>?|:(?![:/])|(?P<percent>%(?:25)*+3[Dd]))[ \t]*+"""
)
_XML_START = re.compile(r"(?:\s[^<>]*+)?>(?<!/>)\s*+(?P<cdata><!\[CDATA\[)?")
_XML_TEXT = re.compile(r"[^<]*+")
_CDATA = re.compile(r".*?(?=\]\]>|\Z)", re.DOTALL)

_OPENING_QUOTE = re.compile(r"(?P<slashes>\\*+)(?P<quote>[\"'])")
# A quoted value extends to its closing quote. Without one, it extends to the end of the text or of the line.
_QUOTED = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL),
    "'": re.compile(r"(?:[^'\\\r\n]++|\\.)*+"),
}
_ESCAPED_QUOTE = re.compile(r"\\*+[\"']|\Z")
# A value of a form or a line. It ends at white space, `&`, `;` and quotes, and at other punctuation that is
# not followed by more of the value. The scheme before it is that of the header Authorization.
_BARE = re.compile(
    r"""
    (?:(?i:Basic|Bearer|Digest|Token|Negotiate|ApiKey)[ ]+)?
    (?: [^\s&;"'\\<>,)\]}] | ['](?=[0-9A-Za-z]) | \\(?!\\*["']) | [,)\]}](?=[^\s,)\]}"'\\<>;&]) )++
    """,
    re.VERBOSE,
)
_PERCENT_ENCODED = re.compile(r"""(?:[^\s&;"'\\<>%#]|%(?!(?:25)*2[36]))++""")
# The value of a header extends to the end of the line, or to the quote that ends a text of JSON.
_HEADER = re.compile(r"""(?:[^\r\n"'\\]|\\(?![rn\\"'])|\\*["'](?!\s*(?:[,}\]:]|\Z)))++""")
_HEADER_NAME = re.compile("authorization|cookie", re.IGNORECASE)


def mask_pairs(text: str, names: FieldNames, *, in_path: bool = False) -> str:
    """Return a text with the values of matching names masked.

    In the path of a URL, only `=` separates a name from its value.
    """
    edits = Edits(text)
    position = 0
    while core := names.core.search(text, position):
        start = _name_start(text, core.start(), position)
        position = _end(_NAME_END, text, core.end())
        match = names.match(text[start:position])
        if match == NameMatch.NONE:
            continue
        value = _xml_value(text, start, position) or _value(text, start, position, in_path=in_path)
        if value:
            position, (begin, end, replacement) = value[1], value
            if replacement is None:
                replacement = text[begin:end] if is_harmless(text[begin:end], match) else MASK
            edits.replace(begin, end, replacement)
    return edits.result()


def _name_start(text: str, position: int, minimum: int) -> int:
    """Return the start of the name that a position is in."""
    minimum = max(minimum, position - MAX_NAME_CHARACTERS)
    while position > minimum and (text[position - 1].isalnum() or text[position - 1] in _NAME_SYMBOLS):
        position -= 1
    return position


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _xml_value(text: str, start: int, end: int) -> tuple[int, int, None] | None:
    """Return the start and the end of an element's text, if the name is that of an element."""
    if text[start - 1 : start] not in ("<", ":") or not (tag := _XML_START.match(text, end)):
        return None
    return tag.end(), _end(_CDATA if tag["cdata"] else _XML_TEXT, text, tag.end()), None


def _value(text: str, start: int, end: int, *, in_path: bool) -> tuple[int, int, str | None] | None:
    """Return start, end and replacement of the value behind a name, or None if there is no value.

    The replacement is None for a scalar.
    """
    sign = _SIGN.match(text, end)
    if not sign or (in_path and sign["sign"] == ":"):
        return None
    begin = sign.end()
    if sign["percent"]:
        return begin, _end(_PERCENT_ENCODED, text, begin), None
    if quote := _OPENING_QUOTE.match(text, begin):
        pattern = _ESCAPED_QUOTE if quote["slashes"] else _QUOTED[quote["quote"]]
        if not quote["slashes"]:
            return quote.end(), _end(pattern, text, quote.end()), None
        closing = pattern.search(text, quote.end())
        return quote.end(), closing.start() if closing else len(text), None
    if text[begin : begin + 1] in ("[", "{") and not sign["sign"].endswith("="):
        return begin, *mask_container(text, begin)
    if sign["sign"] == ":" and not sign["quote"] and _HEADER_NAME.search(text, start, end):
        return begin, _header_end(text, start, begin), None
    return begin, _end(_BARE, text, begin), None


def _header_end(text: str, start: int, begin: int) -> int:
    """Return the end of a header's value: the quote that closes the header, or the end of the line."""
    end = _end(_HEADER, text, begin)
    opening = text[start - 1 : start]
    if opening in ('"', "'") and (closing := text.find(opening, begin, end)) >= 0:
        end = closing
        while text[end - 1] == "\\":
            end -= 1
    return end
