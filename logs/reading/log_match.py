"""Whether a whole log matches a filter."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from logs import request_ids
from logs.conditions import ELLIPSIS, Kind
from logs.digests.signatures import VALUE_ATTRIBUTES, Probe, make_probe
from logs.filters import FILTERS, LogFilter
from logs.models import LogItem
from logs.plan import QueryPlan
from logs.search_text import SearchText, search_text
from logs.storage.documents import Content
from logs.text_match import TextMatch


class LogMatch:
    """Compares logs with the filter of a plan."""

    def __init__(self, plan: QueryPlan) -> None:
        self._plan = plan
        text = plan.filter.search_text
        self._paths = plan.filter.paths
        self._text = None if text is None else TextMatch(text, plan.filter.match_case)

    @cached_property
    def probe(self) -> Probe:
        """Return the probe of the filter. A page of the index needs none."""
        return make_filter_probe(self._plan.filter)

    @property
    def needles(self) -> tuple[str, ...]:
        """Return folded texts, one of which every matching log contains."""
        if self._text:
            return self._text.needles
        clauses = [clause for each in self._paths for clause in each.needles]
        if not clauses:
            clauses = [tuple(texts) for texts in map(list, _texts(self._plan.filter)) if all(texts)]
        return max(clauses, key=shortest_text, default=())

    def is_in_row(self, row: LogItem) -> bool:
        """Return whether a row alone shows that its log matches."""
        return self._text is not None and not self._paths and self._text.is_in(_row_text(row))

    def is_in_content(self, content: Content) -> bool:
        """Return whether text and paths match the content of a log."""
        return all(each.matches(content) for each in self._paths) and (
            self._text is None or self._text.is_in(search_text(content))
        )

    def is_match(self, item: LogItem) -> bool:
        """Return whether a log matches, except for text and paths. The plan's time range counts."""
        plan = self._plan
        return (
            not plan.hides(item)
            and (plan.low is None or plan.low <= item.created_at)
            and (plan.high is None or item.created_at <= plan.high)
            and (not plan.filter.request_ids or request_ids.matches(item, plan.filter.request_ids))
            and all(FILTERS[name].matches(item, value) for name, value in plan.post_filters.items())
        )


def shortest_text(clause: tuple[str, ...]) -> int:
    """Return the length of the shortest text."""
    return min(map(len, clause))


def encoded(needles: Iterable[str]) -> list[bytes]:
    """Return folded texts as blocks have them."""
    return [needle.encode(errors="surrogatepass") for needle in needles]


def make_filter_probe(log_filter: LogFilter) -> Probe:
    """Return the probe for blocks with a matching log."""
    text = log_filter.search_text
    texts = [TextMatch(text).needles] if text is not None else []
    texts += [clause for each in log_filter.paths for clause in each.needles]
    return make_probe(_values(log_filter), [*texts, *_texts(log_filter)])


def _values(log_filter: LogFilter) -> Iterator[list[tuple[str, str]]]:
    """Yield groups of whole values, by name: a matching log has one of each group.

    Logs without a value have nothing in their signature.
    """
    for name, value in log_filter.values.items():
        if FILTERS[name].kind is Kind.EQUALS and name in VALUE_ATTRIBUTES and "" not in value:
            yield [(name, each) for each in value]
    if ids := log_filter.request_ids:
        yield [(name, each) for name in ("request_id", "trace_id") for each in ids]


def _texts(log_filter: LogFilter) -> Iterator[tuple[str, ...]]:
    """Yield groups of folded texts: a matching log contains one of each group."""
    for name, value in log_filter.values.items():
        if FILTERS[name].kind is Kind.CONTAINS:
            yield FILTERS[name].signature_texts(value)


def _row_text(item: LogItem) -> SearchText:
    """Return the searchable texts of a log's row that are whole."""
    return SearchText(
        url=_whole(item.url),
        summary=_whole(item.summary),
        user_name=_whole(item.user_name),
        account_name=_whole(item.account_name),
        object_name=_whole(item.object_name),
    )


def _whole(text: str | None) -> str:
    return "" if text is None or text.endswith(ELLIPSIS) else text
