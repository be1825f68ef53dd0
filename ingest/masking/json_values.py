"""The value of a member of a JSON object, masked in the object's text."""

import re
from io import StringIO

from ingest.masking.names import NameMatch
from ingest.masking.rules import MASK

# Possessive quantifiers never backtrack, so no text makes a match slow. A string may lack its end.
STRING = re.compile(r'"(?P<content>(?:[^"\\]++|\\.)*+)"?', re.DOTALL)
# A token of a list or object: a string or another scalar, with the colon behind the name of a member, or a
# bracket. Single quotes are those of Python's `repr`.
_TOKEN = re.compile(
    r"""
    (?P<text>"(?:[^"\\]++|\\.)*+"?+|'(?:[^'\\]++|\\.)*+'?+)(?P<colon>\s*+:)?
    |(?P<open>[\[{])|(?P<close>[\]}])|(?P<scalar>[^\s\[\]{},:"']++)(?P<scalar_colon>\s*+:)?
    """,
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r'[^\s\[\]{},:"]++')
# They show whether there is a value, and are no secret.
_LITERALS = {"", "true", "false", "null", "none", MASK}
MAX_LITERAL_CHARACTERS = 5

# A list or object keeps its structure unless its masked text would be this much longer.
MAX_GROWTH = 64
# A longer list or object becomes the mask as a whole.
MAX_CONTAINER_CHARACTERS = 65_536


def is_harmless(value: str, match: NameMatch) -> bool:
    """Return whether a scalar, as text without quotes, needs no mask.

    So do the mask itself, an empty text, true, false and null. A number under a plural is a count, as in
    `{"total_tokens": 1532}`.
    """
    return (len(value) <= MAX_LITERAL_CHARACTERS and value.lower() in _LITERALS) or (
        match == NameMatch.PLURAL and _is_number(value)
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdecimal()


def mask_value(text: str, position: int, match: NameMatch) -> tuple[int, str]:
    """Return the end of the JSON value at a position, and the masked value.

    Each string and number in a list or object is masked. Its names stay.
    """
    if string := STRING.match(text, position):
        return string.end(), f'"{MASK}"' if string["content"] else string[0]
    if text[position : position + 1] in ("[", "{"):
        return mask_container(text, position)
    if scalar := _SCALAR.match(text, position):
        return scalar.end(), scalar[0] if is_harmless(scalar[0], match) else f'"{MASK}"'
    return position, ""


def mask_container(text: str, start: int) -> tuple[int, str]:
    """Return the end of a list or object, and its masked text.

    `start` is its position. If it lacks its end, it extends to the end of the text.
    """
    depth, copied, end = 0, start, len(text)
    buffer = StringIO(newline="")
    for token in _TOKEN.finditer(text, start):
        depth += (token["open"] is not None) - (token["close"] is not None)
        if depth == 0:
            end = token.end()
            break
        value = token["text"] or token["scalar"]
        is_name = token["colon"] or token["scalar_colon"]
        if value and not is_name and not is_harmless(value.strip("\"'"), NameMatch.EXACT):
            quote = value[0] if token["text"] else '"'
            if token.start() - start < MAX_CONTAINER_CHARACTERS:
                buffer.write(f"{text[copied : token.start()]}{quote}{MASK}{quote}")
            copied = token.end()
    masked_length = buffer.tell() + end - copied
    if end - start > MAX_CONTAINER_CHARACTERS or masked_length > end - start + MAX_GROWTH:
        return end, f'"{MASK}"'
    return end, buffer.getvalue() + text[copied:end]
