"""The delivery log of one hook: what GitHub keeps of each attempt, and how it pages.

Pure: no HTTP and no clock; from when rows are kept and until when they have to have shown up
comes in as arguments.
"""

import base64
import binascii
import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Outcome: TypeAlias = Literal["success", "failure"]

CODES: Mapping[Outcome, range] = {"success": range(200, 400), "failure": range(400, 600)}
"""What the listing's `status` filter lets through. A code of 0 is in neither."""

# Nineteen digits as on github.com. All are odd, so that none survives a detour through
# a double-precision float: up there floats are hundreds apart.
DELIVERY_IDS = itertools.count(2_310_000_000_000_000_001, step=2)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, and is handed to the receiver as often as it takes."""

    guid: str
    name: str
    action: str | None
    payload: Json

    def identifier_of(self, part: str) -> int | None:
        """Give the id of the payload's `repository` or `installation`."""
        match self.payload.get(part):
            case {"id": int(identifier)}:
                return identifier
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one try at handing over an event went."""

    status: str
    status_code: int
    duration: float = 0.25
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One delivery, as the log has it."""

    id: int
    event: Event
    attempt: Attempt
    delivered_at: datetime
    shown_at: datetime
    redelivery: bool

    @property
    def place(self) -> tuple[datetime, int]:
        """Where in the log the row stands."""
        return self.delivered_at, self.id

    def is_shown(self, by: datetime | None) -> bool:
        """Tell whether the row has shown up by then; None is the end of time."""
        return by is None or self.shown_at <= by

    def listed(self) -> Json:
        """Give the row as the listing has it."""
        # GitHub's rows come with and without milliseconds. Here a whole second is written
        # now one way, now the other; none is cut off, so that rows keep their order.
        whole = self.delivered_at.microsecond == 0 and self.id % 4 == 1
        precision = "seconds" if whole else "milliseconds"
        return {
            "id": self.id,
            "guid": self.event.guid,
            "delivered_at": timestamp(self.delivered_at, precision),
            "redelivery": self.redelivery,
            "duration": self.attempt.duration,
            "status": self.attempt.status,
            "status_code": self.attempt.status_code,
            "event": self.event.name,
            "action": self.event.action,
            "installation_id": self.event.identifier_of("installation"),
            "repository_id": self.event.identifier_of("repository"),
            "throttled_at": None,
        }

    def in_full(self, url: str) -> Json:
        """Give the row as it is shown on its own; `url` is the hook's."""
        return {
            **self.listed(),
            "url": url,
            "request": {
                "headers": dict(self.attempt.request_headers),
                "payload": self.event.payload,
            },
            "response": {
                "headers": dict(self.attempt.response_headers),
                "payload": self.attempt.response_body,
            },
        }


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows; rows that arrive later do not move it."""

    after: tuple[datetime, int]

    def __str__(self) -> str:
        """Write the cursor in a way that invites nobody to look inside."""
        instant, delivery_id = self.after
        text = f"{(instant - EPOCH) // MICROSECOND}:{delivery_id}"
        return "v1_" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor, or raise `ValueError`."""
        if not text.startswith("v1_"):
            raise ValueError("not a cursor")
        encoded = text.removeprefix("v1_")
        try:
            padded = encoded + "=" * (-len(encoded) % 4)
            microseconds, delivery_id = base64.urlsafe_b64decode(padded).decode().split(":")
            return cls((EPOCH + int(microseconds) * MICROSECOND, int(delivery_id)))
        except (binascii.Error, OverflowError) as error:
            raise ValueError("not a cursor") from error


class Log:
    """All deliveries of one hook."""

    def __init__(self) -> None:
        # A list for each thing to ask for: few rows among very many are found at once.
        self._oldest_first: dict[Outcome | None, list[Row]] = {
            outcome: [] for outcome in (None, *CODES)
        }
        self._by_id: dict[int, Row] = {}

    def add(
        self,
        event: Event,
        attempt: Attempt,
        *,
        at: datetime,
        shown_at: datetime,
        redelivery: bool,
    ) -> Row:
        """Log one attempt that began `at`, which need not be the latest."""
        row = _row(event, attempt, at=at, shown_at=shown_at, redelivery=redelivery)
        for oldest_first in self._lists(attempt):
            insort(oldest_first, row, key=attrgetter("place"))
        self._by_id[row.id] = row
        return row

    def add_many(
        self, events: Iterable[tuple[datetime, Event]], attempt: Attempt, *, shown_at: datetime
    ) -> None:
        """Log that every event was delivered for the first time, and that it went alike."""
        rows = [
            _row(event, attempt, at=at, shown_at=shown_at, redelivery=False) for at, event in events
        ]
        for oldest_first in self._lists(attempt):
            oldest_first.extend(rows)
            # Once for all, where one insertion after the other would shift the list each time.
            oldest_first.sort(key=attrgetter("place"))
        self._by_id.update((row.id, row) for row in rows)

    def row(
        self, delivery_id: int, *, kept_from: datetime, shown_by: datetime | None = None
    ) -> Row | None:
        """Find a row that is not older than `kept_from`, and shown by `shown_by`."""
        row = self._by_id.get(delivery_id)
        if row is None or row.delivered_at < kept_from:
            return None
        return row if row.is_shown(shown_by) else None

    def rows(
        self,
        *,
        kept_from: datetime,
        shown_by: datetime | None = None,
        cursor: Cursor | None = None,
        outcome: Outcome | None = None,
    ) -> Iterator[Row]:
        """Yield rows newest first, those behind `cursor` and of that `outcome` if given."""
        oldest_first = self._oldest_first[outcome]
        end = len(oldest_first)
        if cursor:
            end = bisect_left(oldest_first, cursor.after, key=attrgetter("place"))
        newest_first = (oldest_first[index] for index in range(end - 1, -1, -1))
        kept = itertools.takewhile(lambda row: row.delivered_at >= kept_from, newest_first)
        return (row for row in kept if row.is_shown(shown_by))

    def page(
        self,
        *,
        kept_from: datetime,
        shown_by: datetime,
        size: int,
        cursor: Cursor | None,
        outcome: Outcome | None,
    ) -> tuple[list[Row], Cursor | None]:
        """Give at most `size` rows, and a cursor if more follow."""
        found = self.rows(kept_from=kept_from, shown_by=shown_by, cursor=cursor, outcome=outcome)
        page = list(itertools.islice(found, size))
        more = next(found, None)
        return page, Cursor(page[-1].place) if more else None

    def _lists(self, attempt: Attempt) -> list[list[Row]]:
        code = attempt.status_code
        return [
            oldest_first
            for outcome, oldest_first in self._oldest_first.items()
            if outcome is None or code in CODES[outcome]
        ]


def _row(
    event: Event, attempt: Attempt, *, at: datetime, shown_at: datetime, redelivery: bool
) -> Row:
    instant = _utc(at)
    # What is shown is what is kept, or rows would seem to be out of order.
    milliseconds = instant.microsecond // 1000
    return Row(
        id=next(DELIVERY_IDS),
        event=event,
        attempt=attempt,
        delivered_at=instant.replace(microsecond=milliseconds * 1000),
        shown_at=_utc(shown_at),
        redelivery=redelivery,
    )


def timestamp(instant: datetime, precision: str = "seconds") -> str:
    """Write an instant as GitHub does."""
    return instant.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"an instant has a time zone, unlike {instant}")
    return instant.astimezone(UTC)
