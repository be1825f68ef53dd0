"""How a filter compares its values: as a condition of DynamoDB, and in Python. No Django."""

import operator
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import reduce
from typing import Any
from unicodedata import normalize

from pynamodb.expressions.condition import Condition

from logs.folding import core, fold

# The end of a truncated text in an item. The log has the whole text.
ELLIPSIS = "…"


class Kind(StrEnum):
    """How a filter compares its value, or its values, with a log."""

    EQUALS = "Exact value; repeat it for several values."
    EXCLUDES = "Excludes this exact value; repeat it for several values. Logs without a value are kept."
    CONTAINS = "Contains this text, case-sensitive."
    SEARCH = "Contains this text in any letter case."
    AT_LEAST = "At least this number of bytes."

    @property
    def is_multiple(self) -> bool:
        """Return whether a filter of this kind has a tuple of values."""
        return self in (Kind.EQUALS, Kind.EXCLUDES)


def accent_forms(text: str) -> list[str]:
    """Return a text, and its forms NFC and NFD if they differ. Text in ASCII has one form."""
    return list(dict.fromkeys([text, normalize("NFC", text), normalize("NFD", text)]))


def all_forms(values: Sequence[str]) -> list[str]:
    """Return values with composed and with decomposed accents, without repetitions."""
    return list(dict.fromkeys(form for value in values for form in accent_forms(value)))


def _is_missing(attribute: Any) -> Condition:
    condition: Condition = attribute.does_not_exist() | (attribute == "")
    return condition


def _equals(attribute: Any, values: Sequence[str]) -> Condition:
    """Return the condition for one of several values. An empty value is a missing one."""
    conditions = [_is_missing(attribute)] if "" in values else []
    if forms := all_forms([value for value in values if value]):
        conditions.append(attribute.is_in(*forms))
    return reduce(operator.or_, conditions)


def _excludes(attribute: Any, values: Sequence[str]) -> Condition:
    """Return the condition for none of several values. A missing value is kept unless it is excluded."""
    forms = all_forms([value for value in values if value])
    if "" not in values:
        kept: Condition = attribute.does_not_exist() | ~attribute.is_in(*forms)
        return kept
    exists: Condition = attribute.exists() & ~attribute.is_in("", *forms)
    return exists


def _contains(attribute: Any, text: str) -> Condition:
    if not text:
        return _is_missing(attribute)
    condition: Condition = reduce(operator.or_, map(attribute.contains, accent_forms(text)))
    return condition


# All comparisons of texts find composed and decomposed accents.
_COMPARISONS: dict[Kind, Callable[[Any, Any], Condition]] = {
    Kind.EQUALS: _equals,
    Kind.EXCLUDES: _excludes,
    Kind.CONTAINS: _contains,
    Kind.AT_LEAST: operator.ge,
}


def condition(kind: Kind, attribute: Any, value: Any) -> Condition:
    """Return the condition on an attribute of an item. There is none for SEARCH.

    `value` is a tuple of texts for EQUALS and EXCLUDES, a text for CONTAINS, and a number for AT_LEAST.
    """
    return _COMPARISONS[kind](attribute, value)


def matches(kind: Kind, content: Any, value: Any) -> bool:
    """Return whether the content of an attribute fulfils the condition. None is a missing attribute.

    `value` is that of `condition`.
    """
    match kind:
        case Kind.EQUALS:
            return content in all_forms(value) if content else "" in value
        case Kind.EXCLUDES:
            return content not in all_forms(value) if content else "" not in value
        case Kind.CONTAINS:
            if not (value and content):
                return not (value or content)
            return any(form in content for form in accent_forms(value))
        case Kind.AT_LEAST:
            return content is not None and bool(content >= value)
        case _:
            raise ValueError(f"{kind.name} compares whole logs")


def folded_texts(text: str) -> tuple[str, ...]:
    """Return the folded texts to find in each folded text that contains a text.

    One of them is in it. They are also in the whole text of a truncated attribute. They may be empty.
    """
    return tuple(dict.fromkeys(fold(core(form.rstrip(ELLIPSIS))) for form in accent_forms(text)))
