"""The pages of exports: the number of rows, and the progress."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.template.defaultfilters import filesizeformat

from logs import zones
from logs.exports import jobs, spec
from logs.exports.jobs import State
from logs.exports.spec import BadSpec
from logs.pages.display import display_moment
from logs.reading.count_result import Count
from logs.storage.export_items import ExportItem

STATES = {
    State.RUNNING: "Running",
    State.DONE: "Done",
    State.CANCELLED: "Cancelled",
    State.FAILED: "Failed",
}


def row_count(count: Count | None) -> str:
    """Return a number of rows as text, such as `12,408 rows`.

    None is a number that was not counted.
    """
    if count is None or not (count.is_exact or count.number):
        # No lower bound: nothing was counted.
        return "an unknown number of rows"
    text = f"{count.number:,} row{'' if count.number == 1 else 's'}"
    return text if count.is_exact else f"at least {text}"


def zone_of(item: ExportItem) -> tzinfo:
    """Return the time zone of an export, or UTC if another version wrote it."""
    try:
        return spec.loads(item.spec).zone
    except BadSpec:
        return UTC


@dataclass(frozen=True)
class ExportStatus:
    """One export in the background, as its page and the list show it."""

    item: ExportItem
    zone: tzinfo = UTC

    @property
    def is_running(self) -> bool:
        """Return whether the export runs."""
        return self.item.state == State.RUNNING

    @property
    def is_done(self) -> bool:
        """Return whether the export has a file."""
        return self.item.state == State.DONE

    @property
    def is_waiting(self) -> bool:
        """Return whether the export runs, but no worker works on it."""
        return self.is_running and jobs.is_idle(self.item)

    @property
    def state(self) -> str:
        """Return the state as text."""
        if self.is_waiting:
            return "Waiting"
        return STATES[State(self.item.state)]

    @property
    def rows(self) -> str:
        """Return the number of rows, of how many: `5,000 of 12,408 rows`."""
        if self.is_running and (expected := self.item.expected_rows):
            return f"{int(self.item.rows):,} of {int(expected):,} rows"
        return f"{int(self.item.rows):,} row{'' if self.item.rows == 1 else 's'}"

    @property
    def size(self) -> str:
        """Return the size of the compressed file, or of its parts."""
        return filesizeformat(int(self.item.size))

    @property
    def rate(self) -> str:
        """Return the rows per second, over the whole time."""
        end = self.item.ended_at or datetime.now(UTC)
        seconds = max(1.0, (end - self.item.created_at).total_seconds())
        return f"{round(int(self.item.rows) / seconds):,} rows per second"

    @property
    def progress(self) -> int | None:
        """Return the percentage of the rows, or None if their number is not known."""
        if not (expected := self.item.expected_rows):
            return None
        return min(100, round(100 * int(self.item.rows) / int(expected)))

    @property
    def created(self) -> str:
        """Return when the export began."""
        return self._time(self.item.created_at)

    @property
    def expires(self) -> str:
        """Return when its file is deleted."""
        return self._time(self.item.expires_at)

    def _time(self, moment: datetime) -> str:
        return f"{display_moment(moment.replace(microsecond=0), self.zone)} {zones.label(self.zone)}"
