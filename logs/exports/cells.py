"""Cells of CSV files, none of which is a formula."""

import re
import unicodedata

from logs.characters import WITHOUT_GLYPH, is_invisible

# A spreadsheet reads a cell that begins with one of these as a formula, also if an invisible character or a
# quote comes first: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = "=+-@\N{MINUS SIGN}"
# Not only at a comma: spreadsheets ask the user, or the system's locale, where a cell begins.
SEPARATOR = ";|\t\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029"
SEPARATORS = re.compile(f"([{SEPARATOR}])")
# Most cells: they are empty, or begin with a visible letter or digit and have no second beginning. No letter
# is a form of a character of FORMULA. The quantifiers are possessive, because no shorter match is of use.
CELL = f"(?:(?!{WITHOUT_GLYPH.pattern})[\\w/][^{SEPARATOR}\0]*+)?+"
PLAIN = re.compile(CELL)
PLAIN_ROW = re.compile(f"{CELL}(?:\0{CELL})*+")
# Some spreadsheets skip these at the beginning of a cell.
LEADING_BREAKS = ("\t", "\r", "\n")


def neutralize_row(cells: list[str]) -> list[str]:
    """Return the texts of a row's cells, each as `neutralize` returns it.

    One match for a whole row takes a third of the time of one for each cell. A cell may contain the character
    between two cells: its parts are then compared as if each was a cell.
    """
    return cells if PLAIN_ROW.fullmatch("\0".join(cells)) else list(map(neutralize, cells))


def neutralize(text: str) -> str:
    """Return a cell's text with an apostrophe before each formula.

    A formula may begin the cell, or a part of it after one of SEPARATORS. The text is unchanged otherwise.
    """
    if text.isalnum() or PLAIN.fullmatch(text):
        return text
    # Parts and separators alternate.
    pieces = [f"'{piece}" if _is_formula(piece) else piece for piece in SEPARATORS.split(text)]
    return ("'" if text.startswith(LEADING_BREAKS) else "") + "".join(pieces)


def _is_formula(part: str) -> bool:
    """Return whether the first visible character of a part begins a formula.

    Full-width characters and other forms of the same character count.
    """
    for character in part:
        if character in ' "' or is_invisible(character):
            continue
        return unicodedata.normalize("NFKC", character)[0] in FORMULA
    return False
