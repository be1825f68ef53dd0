"""Exports in the background: their states, their workers and their limits.

One worker at a time works on an export. It has a claim, a number that the next worker increments, and a lease
that it renews with each checkpoint. The lease of a worker that was killed ends, and another one may continue.
A worker that was only slow ends at its next checkpoint, because its claim is not the last one.
"""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from logs.exports import spec
from logs.exports.chunks import Checkpoint
from logs.exports.spec import Spec
from logs.storage.errors import is_written, store_unavailable
from logs.storage.export_items import ExportItem

# A worker writes a checkpoint every few seconds. Without one for so long, it is dead. Lambda's first retry, a
# minute after a failure, must come after the lease:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
LEASE_SECONDS = 45
# A worker that was started begins within this time.
START_SECONDS = 10
# Workers in a row that end without a checkpoint.
MAX_ATTEMPTS = 5
# The exports of one user that run at the same time.
MAX_RUNNING = 3
# Of a user's exports, so many are listed.
MAX_LISTED = 20
# Parts are kept for two days, so an older export would lack its first ones.
MAX_AGE = timedelta(days=1)
PARTS_KEPT, FILES_KEPT = timedelta(days=2), timedelta(days=7)


class State(StrEnum):
    """The state of an export."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TooManyExports(Exception):
    """The user has MAX_RUNNING exports that are not finished."""


def create(owner: str, export: Spec, file_name: str, expected_rows: int | None = None) -> ExportItem:
    """Create an export and return its item. No worker works on it yet.

    Costs one Query and one PutItem. Raises TooManyExports and StoreUnavailable.
    """
    now = datetime.now(UTC)
    with store_unavailable():
        if sum(item.state == State.RUNNING for item in recent(owner)) >= MAX_RUNNING:
            raise TooManyExports
        item = ExportItem(
            owner,
            f"{now:%Y%m%d%H%M%S%f}{uuid.uuid4().hex[:12]}",
            state=State.RUNNING,
            spec=spec.dumps(export),
            file_name=file_name,
            created_at=now,
            expires_at=now + FILES_KEPT,
            expected_rows=expected_rows,
            leased_until=_now(),
        )
        item.save()
        return item


def recent(owner: str) -> list[ExportItem]:
    """Return the last exports of a user, the newest first. Costs one Query. Raises StoreUnavailable."""
    with store_unavailable():
        query = ExportItem.query(owner, scan_index_forward=False, limit=MAX_LISTED, consistent_read=True)
        return [item for item in query if not _is_expired(item)]


def get(owner: str, export_id: str) -> ExportItem | None:
    """Return an export of a user, or None. Costs one GetItem. Raises StoreUnavailable."""
    with store_unavailable():
        try:
            item = ExportItem.get(owner, export_id, consistent_read=True)
        except ExportItem.DoesNotExist:
            return None
        return None if _is_expired(item) else item


def claim(owner: str, export_id: str) -> ExportItem | None:
    """Return an export that the caller now works on, or None.

    It is None if the export has ended, or if another worker works on it. An export that cannot be finished
    becomes a failure. Costs one GetItem and one UpdateItem. Raises StoreUnavailable.
    """
    item = get(owner, export_id)
    if item is None or item.state != State.RUNNING or not is_idle(item):
        return None
    if item.attempts >= MAX_ATTEMPTS:
        fail(item, f"{MAX_ATTEMPTS} attempts in a row made no progress")
        return None
    if datetime.now(UTC) - item.created_at > MAX_AGE:
        fail(item, "it took longer than a day: choose a shorter time range")
        return None
    is_claimed = _update(
        item,
        [
            ExportItem.claim.set(item.claim + 1),
            ExportItem.attempts.set(item.attempts + 1),
            ExportItem.leased_until.set(_lease()),
        ],
    )
    return item if is_claimed else None


def advance(item: ExportItem, checkpoint: Checkpoint, size: int) -> bool:
    """Write a checkpoint, and return whether the worker may continue.

    It follows a part of `size` bytes; 0 is no part. The worker may not continue if the export was cancelled,
    or if another worker took over. Costs one UpdateItem. Raises StoreUnavailable.
    """
    parts = json.loads(item.parts)
    if size:
        number = int(item.claim)
        if not parts or parts[-1][0] != number:
            parts.append([number, 0])
        parts[-1][1] += 1
    actions: list[Action] = [
        ExportItem.checkpoint.set(checkpoint.dumps()),
        ExportItem.rows.set(checkpoint.rows),
        ExportItem.size.set(item.size + size),
        ExportItem.parts.set(json.dumps(parts)),
        ExportItem.leased_until.set(_lease()),
        ExportItem.attempts.set(0),
    ]
    return _update(item, actions)


def renew(item: ExportItem) -> bool:
    """Renew the lease of a worker; return whether it may continue. Costs one UpdateItem."""
    return _update(item, [ExportItem.leased_until.set(_lease())])


def release(item: ExportItem) -> None:
    """End the lease of a worker, so that another one may continue at once. Costs one UpdateItem."""
    _update(item, [ExportItem.leased_until.set(_now())])


def finish(item: ExportItem, size: int) -> bool:
    """Mark an export as done, and return whether it was running."""
    return _end(item, State.DONE, [ExportItem.size.set(size)])


def fail(item: ExportItem, reason: str) -> bool:
    """Mark an export as failed; return whether it was running."""
    return _end(item, State.FAILED, [ExportItem.reason.set(reason)])


def cancel(item: ExportItem) -> bool:
    """Cancel an export; return whether it was running. Its worker ends at the next checkpoint.

    Costs one UpdateItem. Raises StoreUnavailable.
    """
    condition = ExportItem.state == State.RUNNING
    return _end(item, State.CANCELLED, [], condition)


def is_idle(item: ExportItem) -> bool:
    """Return whether no worker works on an export that runs."""
    return bool(item.leased_until <= time.time())


def is_stalled(item: ExportItem) -> bool:
    """Return whether an export runs without a worker.

    A worker that was just started has some seconds to begin.
    """
    return bool(item.state == State.RUNNING and item.leased_until + START_SECONDS <= time.time())


def part_keys(item: ExportItem) -> list[str]:
    """Return the keys of an export's parts in their order."""
    return [
        part_key(item, claim, number) for claim, count in json.loads(item.parts) for number in range(count)
    ]


def next_part_key(item: ExportItem) -> str:
    """Return the key of the next part of a worker. No other worker writes it."""
    parts = json.loads(item.parts)
    is_first = not parts or parts[-1][0] != int(item.claim)
    return part_key(item, int(item.claim), 0 if is_first else parts[-1][1])


def part_key(item: ExportItem, claim: int, number: int) -> str:
    """Return the key of a part: of this worker, from 0."""
    return f"parts/{item.id}/{claim}-{number}"


def file_key(item: ExportItem) -> str:
    """Return the key of an export's file."""
    return f"files/{item.id}.gz"


def _is_expired(item: ExportItem) -> bool:
    return bool(item.expires_at <= datetime.now(UTC))


def _now() -> float:
    return round(time.time(), 3)


def _lease() -> float:
    return _now() + LEASE_SECONDS


def _end(item: ExportItem, state: State, actions: list[Action], condition: Condition | None = None) -> bool:
    ended = [ExportItem.state.set(state), ExportItem.ended_at.set(datetime.now(UTC)), *actions]
    return _update(item, ended, condition)


def _update(item: ExportItem, actions: list[Action], condition: Condition | None = None) -> bool:
    """Update an item and return whether it was. By default its claim must be the last, and it must run."""
    if condition is None:
        condition = (ExportItem.claim == item.claim) & (ExportItem.state == State.RUNNING)
    with store_unavailable():
        return is_written(lambda: item.update(actions=actions, condition=condition))
