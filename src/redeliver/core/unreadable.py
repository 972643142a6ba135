"""Rows of a log that cannot be read, and how long they matter.

GitHub may list a row of which a field is missing or has another type than it documents. Such a row
is skipped, so that it hides no other. What can be read of it still counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from redeliver.core.delivery import Guid
from redeliver.core.window import Window

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
    """A row of a log that is not a `Delivery`."""

    problem: str
    """What is wrong with it, such as "'status' is missing or has the wrong type"."""
    id: str = ""
    """Empty if it has none."""
    guid: Guid | None = None
    succeeded: bool = False
    """Whether its status or code can be read, and says that the receiver accepted the event."""
    may_be_original: bool = True
    """False if it can be read that it is a redelivery."""
    earliest: datetime = LONG_AGO
    """The earliest time at which it can have been delivered, by its place in the log."""
    latest: datetime | None = None
    """The latest time; None means now. Equal to `earliest` if its own time can be read."""

    def matters(self, window: Window) -> bool:
        """Whether it can be from the window."""
        return self.latest_by(window) >= window.since and self.earliest <= window.until

    def latest_by(self, window: Window) -> datetime:
        """Return when it was delivered at the latest."""
        return self.latest or window.now


def held_times(
    rows: Iterable[UnreadableRow], window: Window, *, given_up_before: datetime
) -> list[datetime]:
    """Return the times that the checkpoint must not pass, because a row may be a failure.

    A row that is certainly older than `given_up_before` would be given up anyway.
    """
    return [
        max(row.earliest, window.checkpoint)
        for row in rows
        if row.matters(window) and not row.succeeded and row.latest_by(window) >= given_up_before
    ]
