"""Filters that cannot be planned, and why. Pure: no I/O and no Django."""

import math
from dataclasses import dataclass
from unicodedata import normalize

from logs.conditions import all_forms
from logs.filters import FILTERS, LogFilter
from logs.index_choice import INDEX_FILTERS, key_forms, narrowest_index, post_filters
from logs.models import OWN_PREFIX, is_own_account

MAX_STREAMS = 50
# IN takes 100 values, and a filter expression 4 KB and 300 operators:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_POST_FILTER_VALUES = 100
ACCENTS = " with composed and decomposed accents"


@dataclass(frozen=True)
class PlanError:
    """Why a filter cannot be planned, and the parameters at fault."""

    parameters: tuple[str, ...]
    text: str


def plan_error(log_filter: LogFilter, *, includes_own: bool = False) -> PlanError | None:
    """Return why a filter cannot be planned, or None.

    - The range must end after it begins.
    - Without `includes_own`, it names no account of Logsite's own.
    - No value is both included and excluded.
    - The keys of the index make at most MAX_STREAMS combinations: each is a query. Sorting shards do not
      count, because they have a limit of their own (`models.MAX_SHARDS`).
    - Post-filters have at most MAX_POST_FILTER_VALUES values.

    A value with accents counts twice if its composed and decomposed forms differ.
    """
    if log_filter.start and log_filter.end and log_filter.start >= log_filter.end:
        return PlanError(("to",), f"the time range ends at {log_filter.end} but begins at {log_filter.start}")
    if not includes_own and any(map(is_own_account, log_filter.account_id)):
        text = f"an account that begins with {OWN_PREFIX} is Logsite's own: only superusers read its logs"
        return PlanError(("account_id",), text)
    index = narrowest_index(log_filter)
    return _contradiction(log_filter) or _combinations(log_filter, index) or _comparisons(log_filter, index)


def _contradiction(log_filter: LogFilter) -> PlanError | None:
    """Return the error of the first value that is both included and excluded, or None."""
    for name, values in log_filter.values.items():
        each = FILTERS[name]
        if each.included != name:
            included = {normalize("NFC", value) for value in getattr(log_filter, each.included)}
            for value in values:
                if normalize("NFC", value) in included:
                    label = FILTERS[each.included].label.lower()
                    text = f"{label} {each.display(value)} is both included and excluded"
                    return PlanError((each.parameter,), text)
    return None


def _combinations(log_filter: LogFilter, index: str) -> PlanError | None:
    """Return the error of too many partition keys, or None."""
    values = {name: dict.fromkeys(getattr(log_filter, name)) for name in INDEX_FILTERS[index]}
    forms = {name: len(key_forms(tuple(each))) for name, each in values.items()}
    if (streams := math.prod(forms.values())) <= MAX_STREAMS:
        return None
    accents = ACCENTS if streams > math.prod(map(len, values.values())) else ""
    words = " and ".join(
        f"{len(each)} {FILTERS[name].label.lower()}{'s' if len(each) > 1 else ''}"
        for name, each in values.items()
    )
    return PlanError(
        tuple(name for name, count in forms.items() if count > 1),
        f"{words}{accents} make {streams} combinations; at most {MAX_STREAMS} can be read at once",
    )


def _comparisons(log_filter: LogFilter, index: str) -> PlanError | None:
    """Return the error of too many values in post-filters, or None."""
    values = {
        name: value for name, value in post_filters(log_filter, index).items() if isinstance(value, tuple)
    }
    number = sum(len(all_forms(each)) for each in values.values())
    if number <= MAX_POST_FILTER_VALUES:
        return None
    accents = ACCENTS if number > sum(map(len, values.values())) else ""
    return PlanError(
        tuple(FILTERS[name].parameter for name, each in values.items() if len(each) > 1),
        f"the filters that use no index have {number} values{accents}; "
        f"at most {MAX_POST_FILTER_VALUES} are possible",
    )
