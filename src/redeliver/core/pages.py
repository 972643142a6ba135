"""The pages of a log, and when enough of them were read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redeliver.core.delivery import Delivery
from redeliver.core.unreadable import UnreadableRow

OLD_ROWS_AT_END = 100
"""How many consecutive rows must be too old before the log counts as read: as many as a page has.

GitHub does not promise that a log is sorted by `delivered_at`. Rows that were written late must
not hide the rows behind them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a log, newest first."""

    rows: Sequence[Delivery]
    is_last: bool
    """Whether the log has no further page."""
    unreadable: Sequence[UnreadableRow] = ()
    """The rows that could not be read; their positions are not kept."""


class OldRows:
    """Tells when a log has been read back to an instant."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant
        self._consecutive = 0

    def count(self, page: Page) -> None:
        """Count the rows of the next page that are older than the instant."""
        for row in page.rows:
            self._consecutive = self._consecutive + 1 if row.delivered_at < self._instant else 0

    @property
    def are_enough(self) -> bool:
        """Whether no newer row is expected on a further page."""
        return self._consecutive >= OLD_ROWS_AT_END
