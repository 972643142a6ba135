"""Deliveries, windows and a fake webhook, each with defaults for what a test is not about."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from redeliver.delivery import Delivery, DeliveryId, Guid
from redeliver.plan import Decision, Verdict, Window

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(*, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    return NOW - timedelta(hours=hours, minutes=minutes, seconds=seconds)


def a_delivery(
    guid: str = "guid-1",
    *,
    at: datetime = NOW - timedelta(hours=1),
    number: int = 2**62 + 1,
    redelivery: bool = False,
    status: str = "timed out",
    status_code: int = 504,
    event: str = "push",
    action: str | None = None,
) -> Delivery:
    return Delivery(
        id=DeliveryId(number),
        guid=Guid(guid),
        delivered_at=at,
        redelivery=redelivery,
        status=status,
        status_code=status_code,
        event=event,
        action=action,
    )


def delivered(
    guid: str = "guid-1", *, at: datetime = NOW - timedelta(hours=1), redelivery: bool = False
) -> Delivery:
    return a_delivery(guid, at=at, redelivery=redelivery, status="OK", status_code=200)


def a_decision(delivery: Delivery | None = None, *, since: datetime | None = None) -> Decision:
    delivery = delivery or a_delivery()
    return Decision(
        delivery=delivery,
        attempts=3,
        failing_since=since or delivery.delivered_at,
        verdict=Verdict.REDELIVER,
    )


def a_window(checkpoint: datetime | None = NOW - timedelta(hours=6)) -> Window:
    return Window.starting(checkpoint, now=NOW, lookback=timedelta(hours=24))


class FakeHook:
    """A webhook that remembers what it was asked, and refuses what it is told to refuse."""

    name = "webhook 1 of organization acme"

    def __init__(self, *log: Delivery, refuses: dict[str, Exception] | None = None) -> None:
        self.log = sorted(log, key=lambda delivery: delivery.delivered_at, reverse=True)
        self.refuses = refuses or {}
        self.asked: list[str] = []

    def deliveries(self) -> Iterator[Delivery]:
        yield from self.log

    def redeliver(self, delivery: Delivery) -> None:
        self.asked.append(delivery.guid)
        if delivery.guid in self.refuses:
            raise self.refuses[delivery.guid]


class FakeStore:
    """A place for the checkpoint that remembers every write, and fails the nth if told to."""

    name = "variable LAST_REDELIVERY of acme/ops"

    def __init__(
        self, checkpoint: datetime | None = NOW - timedelta(hours=6), *, fails_at: int | None = None
    ) -> None:
        self.checkpoint = checkpoint
        self.written: list[datetime] = []
        self.attempts = 0
        self.fails_at = fails_at
        self.error: Exception = AssertionError("no error was given")

    def read(self) -> datetime | None:
        return self.checkpoint

    def write(self, checkpoint: datetime) -> None:
        self.attempts += 1
        if self.attempts == self.fails_at:
            raise self.error
        self.written.append(checkpoint)
