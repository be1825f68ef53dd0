"""The number of nodes of a JSON text, counted without building them."""

import re

# A string with its escapes. Possessive quantifiers: no text makes the match slow.
STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


def count_nodes(text: str) -> int:
    """Return an upper bound of the number of values in a JSON text.

    It is one more than the number of commas and opening brackets.

    Building the values takes about 100 bytes for each. Counting takes a copy of the text without its strings.
    """
    structure = STRING.sub("", text)
    return 1 + structure.count(",") + structure.count("[") + structure.count("{")
