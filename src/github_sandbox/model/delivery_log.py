"""The delivery log of one webhook: one entry for each attempt to deliver an event.

A test can add entries that are no such attempt, but any JSON value.

Pure: no HTTP and no clock. The caller passes in the time, and when the retention period began.
"""

import itertools
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from github_sandbox.model.delivery import AttemptResult, Delivery, Entry, Event, RawRow

StatusFilter: TypeAlias = Literal["success", "failure"]

STATUS_FILTERS: Mapping[StatusFilter, range] = {
    "success": range(200, 400),
    "failure": range(400, 600),
}
"""The status codes that the listing's parameter `status` selects. Neither value selects code 0."""

SortBy: TypeAlias = Literal["delivered_at", "id"]
"""What a log is sorted by. Ids increase in the order in which the log's entries are written."""

SORT_KEYS: Mapping[SortBy, "attrgetter[Any]"] = {
    "delivered_at": attrgetter("delivered_at", "id"),
    "id": attrgetter("id"),
}
"""The sort keys of entries."""

# Ids have nineteen digits, as on github.com. All are odd, so a program that stores them as
# double-precision floats corrupts every one: floats of this size are hundreds apart.
DELIVERY_IDS = itertools.count(2_310_000_000_000_000_001, step=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the log, and the first entries of the pages before and after it."""

    entries: Sequence[Entry]
    previous_first: Entry | None
    next_first: Entry | None


class DeliveryLog:
    """All deliveries of one hook."""

    def __init__(self, *, sort_by: SortBy = "delivered_at") -> None:
        self._sort_by = sort_by
        self._sort_key = SORT_KEYS[sort_by]
        # One list for each status filter: a search for a few failures among very many deliveries
        # would be slow.
        self._oldest_first: dict[StatusFilter | None, list[Entry]] = {
            status_filter: [] for status_filter in (None, *STATUS_FILTERS)
        }
        self._by_id: dict[int, Entry] = {}

    def add(
        self,
        event: Event,
        result: AttemptResult,
        *,
        delivered_at: datetime,
        shown_at: datetime,
        redelivery: bool,
    ) -> Delivery:
        """Log one attempt. It may be older than others in the log."""
        delivery = _delivery(
            event, result, delivered_at=delivered_at, shown_at=shown_at, redelivery=redelivery
        )
        self._insert(delivery, result.status_code)
        return delivery

    def add_raw(self, row: object, *, at: datetime) -> None:
        """Add any JSON value at the place of a delivery of that time."""
        entry = RawRow(id=next(DELIVERY_IDS), row=row, delivered_at=_utc(at))
        self._insert(entry, entry.status_code())

    def add_many(
        self,
        events: Iterable[tuple[datetime, Event]],
        result: AttemptResult,
        *,
        shown_at: datetime,
    ) -> None:
        """Log one original delivery for each pair of time and event, all with the same result."""
        deliveries = [
            _delivery(event, result, delivered_at=at, shown_at=shown_at, redelivery=False)
            for at, event in events
        ]
        for oldest_first in self._lists_for(result.status_code):
            oldest_first.extend(deliveries)
            # Sorting once is much faster than many insertions, each of which shifts the list.
            oldest_first.sort(key=self._sort_key)
        self._by_id.update((delivery.id, delivery) for delivery in deliveries)

    def find(
        self, delivery_id: int, *, retention_start: datetime, now: datetime | None = None
    ) -> Delivery | None:
        """Find a delivery in the retention period, which is shown at `now` if that is given."""
        entry = self._by_id.get(delivery_id)
        if not isinstance(entry, Delivery) or entry.delivered_at < retention_start:
            return None
        return entry if entry.is_shown(now) else None

    def find_entry(self, entry_id: int) -> Entry | None:
        """Find an entry of any age, whether it is shown or not."""
        return self._by_id.get(entry_id)

    def entries(self, *, retention_start: datetime) -> Iterator[Entry]:
        """Yield all entries, newest first: those with the latest time, or with the largest id."""
        oldest_first = self._oldest_first[None]
        return self._older(oldest_first, len(oldest_first), retention_start)

    def page(
        self,
        size: int,
        *,
        first: Entry | None,
        retention_start: datetime,
        now: datetime,
        status_filter: StatusFilter | None,
    ) -> Page:
        """Return a page that begins at the place of the entry `first`, or at the newest entry.

        It has entries that are shown at `now` and match the filter.
        """
        oldest_first = self._oldest_first[status_filter]
        end = len(oldest_first)
        if first is not None:
            end = bisect_right(oldest_first, self._sort_key(first), key=self._sort_key)

        def take(entries: Iterator[Entry], count: int) -> list[Entry]:
            return list(itertools.islice((e for e in entries if e.is_shown(now)), count))

        newer = (oldest_first[index] for index in range(end, len(oldest_first)))
        before = take((e for e in newer if e.delivered_at >= retention_start), size)
        entries = take(self._older(oldest_first, end, retention_start), size + 1)
        return Page(
            entries=entries[:size],
            next_first=entries[size] if len(entries) > size else None,
            previous_first=before[-1] if before else None,
        )

    def _older(
        self, oldest_first: Sequence[Entry], end: int, retention_start: datetime
    ) -> Iterator[Entry]:
        """Yield the entries before the index `end`, newest first."""
        newest_first = (oldest_first[index] for index in range(end - 1, -1, -1))

        def is_kept(entry: Entry) -> bool:
            return entry.delivered_at >= retention_start

        if self._sort_by == "delivered_at":
            # All entries after the first that is too old are too old as well.
            return itertools.takewhile(is_kept, newest_first)
        return filter(is_kept, newest_first)

    def _insert(self, entry: Entry, status_code: int | None) -> None:
        for oldest_first in self._lists_for(status_code):
            insort(oldest_first, entry, key=self._sort_key)
        self._by_id[entry.id] = entry

    def _lists_for(self, status_code: int | None) -> list[list[Entry]]:
        """Return the lists in which an entry belongs: all if it has no status code."""
        return [
            oldest_first
            for status_filter, oldest_first in self._oldest_first.items()
            if status_filter is None
            or status_code is None
            or status_code in STATUS_FILTERS[status_filter]
        ]


def _delivery(
    event: Event,
    result: AttemptResult,
    *,
    delivered_at: datetime,
    shown_at: datetime,
    redelivery: bool,
) -> Delivery:
    in_utc = _utc(delivered_at)
    # The API shows milliseconds, so clients would find a finer order wrong.
    milliseconds = in_utc.microsecond // 1000
    return Delivery(
        id=next(DELIVERY_IDS),
        event=event,
        result=result,
        delivered_at=in_utc.replace(microsecond=milliseconds * 1000),
        shown_at=_utc(shown_at),
        redelivery=redelivery,
    )


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(UTC)
