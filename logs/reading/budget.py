"""What reading one page may cost, and what it did cost."""

from dataclasses import asdict, dataclass, fields

from logs.storage.dynamodb import Usage


@dataclass
class Cost:
    """The cost of one page: items examined, requests, payloads, read units and seconds.

    `searched` counts logs whose signatures were read.
    """

    examined: int = 0
    searched: int = 0
    queries: int = 0
    payloads: int = 0
    payload_bytes: int = 0
    read_units: float = 0.0
    seconds: float = 0.0

    @property
    def inspected(self) -> int:
        """Return how many logs were examined, or searched by their signatures."""
        return self.examined + self.searched

    def add_usage(self, usage: Usage) -> None:
        """Add the requests of a read and their read units."""
        self.queries += usage.requests
        self.read_units += usage.read_units

    def __iadd__(self, other: "Cost") -> "Cost":
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self


# Counting reads less of the index than a page: a number of a long range without digests is not worth it.
MAX_COUNTED = 5_000


@dataclass(frozen=True)
class Budget:
    """The limits of one page. A page that reaches one of them shows what it found and how far it read.

    `examined` counts items that DynamoDB read, `searched` logs whose signatures were read, `payloads`
    logs that a text search fetched. `payload_bytes` is the size of these logs after decompression.
    """

    examined: int = 50_000
    searched: int = 2_000_000
    payloads: int = 2_000
    payload_bytes: int = 16_000_000
    seconds: float = 5.0

    def is_spent(self, cost: Cost, seconds: float) -> bool:
        """Return whether the limits of items or seconds are reached."""
        return cost.examined >= self.examined or cost.searched >= self.searched or seconds > self.seconds

    def is_spent_on_payloads(self, cost: Cost, seconds: float) -> bool:
        """Return whether the limits of fetched payloads or seconds are reached."""
        return (
            cost.payloads >= self.payloads
            or cost.payload_bytes >= self.payload_bytes
            or seconds > self.seconds
        )

    def remaining(self, cost: Cost, seconds: float) -> "Budget | None":
        """Return the rest of the budget, or None if the cost spends it.

        `seconds` is the new time limit.
        """
        rest = Budget(
            examined=self.examined - cost.examined,
            searched=self.searched - cost.searched,
            payloads=self.payloads - cost.payloads,
            payload_bytes=self.payload_bytes - cost.payload_bytes,
            seconds=seconds,
        )
        return rest if min(asdict(rest).values()) > 0 else None
