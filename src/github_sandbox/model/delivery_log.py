"""The delivery log of one webhook: one entry for each attempt to deliver an event.

Pure: no HTTP and no clock. The caller passes in the time, and when the retention period began.
"""

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from github_sandbox.model.cursor import Cursor
from github_sandbox.model.formats import Json, timestamp

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
"""The sort keys of deliveries, and of cursors."""

# Ids have nineteen digits, as on github.com. All are odd, so a program that stores them as
# double-precision floats corrupts every one: floats of this size are hundreds apart.
DELIVERY_IDS = itertools.count(2_310_000_000_000_000_001, step=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. All attempts to deliver it send the same GUID and payload."""

    guid: str
    name: str
    action: str | None
    payload: Json

    def payload_id(self, key: str) -> int | None:
        """Return the id of the payload's `repository` or `installation`, if it has one."""
        match self.payload.get(key):
            case {"id": int(number)}:
                return number
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How one attempt to deliver an event ended."""

    status: str
    status_code: int
    duration: float = 0.25
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One entry of the log."""

    id: int
    event: Event
    result: AttemptResult
    delivered_at: datetime
    shown_at: datetime
    """When the API begins to show the delivery."""
    redelivery: bool

    def is_shown(self, now: datetime | None) -> bool:
        """Return whether the API shows the delivery at `now`. None means the distant future."""
        return now is None or self.shown_at <= now

    def list_item(self) -> Json:
        """Return the delivery as an item of the API's listing."""
        # GitHub writes timestamps with and without milliseconds. This log omits only milliseconds
        # that are zero, in half of these entries: omitting others would change the order.
        omits_milliseconds = self.delivered_at.microsecond == 0 and self.id % 4 == 1
        precision = "seconds" if omits_milliseconds else "milliseconds"
        return {
            "id": self.id,
            "guid": self.event.guid,
            "delivered_at": timestamp(self.delivered_at, precision),
            "redelivery": self.redelivery,
            "duration": self.result.duration,
            "status": self.result.status,
            "status_code": self.result.status_code,
            "event": self.event.name,
            "action": self.event.action,
            "installation_id": self.event.payload_id("installation"),
            "repository_id": self.event.payload_id("repository"),
            "throttled_at": None,
        }

    def details(self, url: str) -> Json:
        """Return the delivery as the API shows a single one; `url` is the hook's."""
        return {
            **self.list_item(),
            "url": url,
            "request": {
                "headers": dict(self.result.request_headers),
                "payload": self.event.payload,
            },
            "response": {
                "headers": dict(self.result.response_headers),
                "payload": self.result.response_body,
            },
        }


class DeliveryLog:
    """All deliveries of one hook."""

    def __init__(self, *, sort_by: SortBy = "delivered_at") -> None:
        self._sort_by = sort_by
        self._sort_key = SORT_KEYS[sort_by]
        # One list for each status filter: a search for a few failures among very many deliveries
        # would be slow.
        self._oldest_first: dict[StatusFilter | None, list[Delivery]] = {
            status_filter: [] for status_filter in (None, *STATUS_FILTERS)
        }
        self._by_id: dict[int, Delivery] = {}

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
        for oldest_first in self._lists_for(result):
            insort(oldest_first, delivery, key=self._sort_key)
        self._by_id[delivery.id] = delivery
        return delivery

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
        for oldest_first in self._lists_for(result):
            oldest_first.extend(deliveries)
            # Sorting once is much faster than many insertions, each of which shifts the list.
            oldest_first.sort(key=self._sort_key)
        self._by_id.update((delivery.id, delivery) for delivery in deliveries)

    def find(
        self, delivery_id: int, *, retention_start: datetime, now: datetime | None = None
    ) -> Delivery | None:
        """Find a delivery in the retention period, which is shown at `now` if that is given."""
        delivery = self._by_id.get(delivery_id)
        if delivery is None or delivery.delivered_at < retention_start:
            return None
        return delivery if delivery.is_shown(now) else None

    def deliveries(
        self,
        *,
        retention_start: datetime,
        now: datetime | None = None,
        cursor: Cursor | None = None,
        status_filter: StatusFilter | None = None,
    ) -> Iterator[Delivery]:
        """Yield deliveries, newest first: those with the latest time, or with the largest id.

        These are shown at `now`, come after `cursor` in the listing, and match the filter.
        """
        oldest_first = self._oldest_first[status_filter]
        end = len(oldest_first)
        if cursor:
            end = bisect_left(oldest_first, self._sort_key(cursor), key=self._sort_key)
        newest_first = (oldest_first[index] for index in range(end - 1, -1, -1))

        def is_kept(delivery: Delivery) -> bool:
            return delivery.delivered_at >= retention_start

        kept: Iterator[Delivery]
        if self._sort_by == "delivered_at":
            # All deliveries after the first that is too old are too old as well.
            kept = itertools.takewhile(is_kept, newest_first)
        else:
            kept = filter(is_kept, newest_first)
        return (delivery for delivery in kept if delivery.is_shown(now))

    def _lists_for(self, result: AttemptResult) -> list[list[Delivery]]:
        return [
            oldest_first
            for status_filter, oldest_first in self._oldest_first.items()
            if status_filter is None or result.status_code in STATUS_FILTERS[status_filter]
        ]


def paginate(deliveries: Iterator[Delivery], size: int) -> tuple[list[Delivery], Cursor | None]:
    """Return the first `size` deliveries, and the cursor of the next page if there are more."""
    page = list(itertools.islice(deliveries, size))
    has_more = next(deliveries, None) is not None
    return page, Cursor(page[-1].delivered_at, page[-1].id) if has_more else None


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
