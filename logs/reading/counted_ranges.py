"""Which parts of a range digests have counted, by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# The name of the numbers by time, beside the names of fields.
BUCKETS = ""


@dataclass(frozen=True)
class Part:
    """A part of a range, and the names for which it is not counted.

    The part is `low` ≤ moment < `high`.
    """

    low: int
    high: int
    names: frozenset[str]


class CountedRanges:
    """The counted parts of `start` ≤ moment < `end`, by name."""

    def __init__(self, start: int, end: int, names: tuple[str, ...]) -> None:
        self._start, self._end = start, end
        self._parts: dict[str, list[tuple[int, int]]] = {name: [] for name in names}

    def add(self, low: int, high: int, names: set[str]) -> None:
        """Add a part that is counted for these names."""
        for name in names & self._parts.keys():
            self._parts[name].append((max(low, self._start), min(high, self._end)))

    def leave_out(self, name: str) -> None:
        """Let nothing be counted for a field."""
        del self._parts[name]

    def names_at(self, moment: int) -> set[str]:
        """Return the names for which a moment is counted."""
        return {
            name for name, parts in self._parts.items() if any(low <= moment < high for low, high in parts)
        }

    def rest(self) -> Iterator[Part]:
        """Yield the parts that are not counted for some names, the newest first."""
        # At each edge, names begin or end to be counted.
        edges: dict[int, list[tuple[str, int]]] = {self._start: [], self._end: []}
        for name, parts in self._parts.items():
            for low, high in parts:
                edges.setdefault(low, []).append((name, 1))
                edges.setdefault(high, []).append((name, -1))
        depth = dict.fromkeys(self._parts, 0)
        rest: list[Part] = []
        for low, high in pairwise(sorted(edges)):
            for name, step in edges[low]:
                depth[name] += step
            names = frozenset(name for name, number in depth.items() if not number)
            if rest and rest[-1].high == low and rest[-1].names == names:
                rest[-1] = Part(rest[-1].low, high, names)
            elif names:
                rest.append(Part(low, high, names))
        return reversed(rest)
