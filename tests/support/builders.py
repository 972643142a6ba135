"""Deliveries, windows and a fake webhook, each with defaults for what a test is not about."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from redeliver.core.checkpoint import SavedCheckpoint, Window
from redeliver.core.decision import Decision, EventKey, Verdict
from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, StatusFilter, Webhook
from redeliver.core.events import ALL_EVENTS, EventFilter
from redeliver.core.policy import Policy, RunOptions
from redeliver.core.scan import ScanResult
from redeliver.engine.ports import Runtime
from redeliver.errors import RedeliverError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_webhook(number: int = 1) -> Webhook:
    return Webhook(
        name=f"webhook {number} of organization acme",
        id=HookId(number),
        page=f"https://github.com/organizations/acme/settings/hooks/{number}?tab=deliveries",
    )


WEBHOOK = a_webhook()


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
    guid: str = "guid-1",
    *,
    at: datetime = NOW - timedelta(hours=1),
    number: int = 2**62 + 2,
    redelivery: bool = False,
) -> Delivery:
    return a_delivery(
        guid, at=at, number=number, redelivery=redelivery, status="OK", status_code=200
    )


def a_decision(
    delivery: Delivery | None = None,
    *,
    webhook: Webhook = WEBHOOK,
    since: datetime | None = None,
    verdict: Verdict = Verdict.REDELIVER,
) -> Decision:
    delivery = delivery or a_delivery()
    return Decision(
        webhook=webhook,
        delivery=delivery,
        attempts=3,
        failing_since=since or delivery.delivered_at,
        verdict=verdict,
    )


def saved(checkpoint: datetime, *, written: datetime | None = None) -> SavedCheckpoint:
    return SavedCheckpoint(checkpoint=checkpoint, written=written or checkpoint)


def a_window(
    checkpoint: datetime | None = NOW - timedelta(hours=6), *, written: datetime | None = None
) -> Window:
    before = saved(checkpoint, written=written) if checkpoint else None
    return Window.starting(before, now=NOW, lookback=timedelta(hours=24))


def a_policy(
    *,
    give_up_after: timedelta = timedelta(days=3),
    max_attempts: int | None = None,
    events: EventFilter = ALL_EVENTS,
    skip_status_codes: frozenset[int] = frozenset(),
    max_redeliveries: int | None = None,
) -> Policy:
    return Policy(
        give_up_after=give_up_after,
        max_attempts=max_attempts,
        events=events,
        skip_status_codes=skip_status_codes,
        max_redeliveries=max_redeliveries,
    )


OPTIONS = RunOptions(lookback=timedelta(hours=24), policy=a_policy(), retention=timedelta(days=3))


def a_scan_result(
    *decisions: Decision,
    webhook: Webhook = WEBHOOK,
    scanned: int = 230,
    unclassified: int = 0,
    error: RedeliverError | None = None,
) -> ScanResult:
    return ScanResult(
        webhook=webhook,
        scanned=scanned,
        decisions=decisions,
        unclassified=unclassified,
        error=error,
    )


CODES: Mapping[StatusFilter, Container[int]] = {
    StatusFilter.ALL: range(1000),
    StatusFilter.FAILURES: range(400, 600),
    StatusFilter.SUCCESSES: range(200, 400),
}


def a_log(rows: Iterable[Delivery]) -> Callable[[StatusFilter], Iterator[Delivery]]:
    """Give the rows of a log as GitHub lists them, the newest first as they come."""
    return lambda listed: (row for row in rows if row.status_code in CODES[listed])


class FakeHook:
    """A webhook that remembers what it was asked, and refuses what it is told to refuse."""

    def __init__(
        self,
        *log: Delivery,
        number: int = 1,
        refuses: Mapping[str, BaseException] | None = None,
    ) -> None:
        self.webhook = a_webhook(number)
        self.log = sorted(log, key=lambda delivery: delivery.delivered_at, reverse=True)
        self.refuses = refuses or {}
        self.asked: list[str] = []
        self.scans = 0

    def deliveries(self, listed: StatusFilter = StatusFilter.ALL) -> Iterator[Delivery]:
        return a_log(self.rows())(listed)

    def rows(self) -> Iterator[Delivery]:
        self.scans += 1
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
        self.saved = saved(checkpoint) if checkpoint else None
        self.written: list[datetime] = []
        self.attempts = 0
        self.fails_at = fails_at
        self.error: BaseException = AssertionError("no error was given")

    def read(self) -> SavedCheckpoint | None:
        return self.saved

    def write(self, checkpoint: datetime) -> bool:
        self.attempts += 1
        if self.attempts == self.fails_at:
            raise self.error
        self.written.append(checkpoint)
        self.saved = saved(checkpoint, written=NOW)
        return True


class FakeTime:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class FakeConsole:
    """A console that remembers what it was given."""

    def __init__(self, said: list[str] | None = None) -> None:
        self.said = [] if said is None else said
        self.shown: list[tuple[str, int, int | None]] = []
        self.masked: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def progress(self, what: str, done: int, total: int | None) -> None:
        self.shown.append((what, done, total))

    def mask(self, secret: str) -> None:
        self.masked.append(secret)


class FakeRuntime(FakeConsole):
    """A runtime that is console and throttle as well; its clock stands still unless it is moved.

    Of what may be chosen at random, it takes the last. It has one worker unless it is given more.
    """

    def __init__(self, *, workers: int = 1) -> None:
        super().__init__()
        self.now = NOW
        self.workers = workers
        self.turns = 0
        self.slept: list[float] = []

    def seconds_until_turn(self) -> float:
        return 0.0

    def wait_for_turn(self) -> None:
        self.turns += 1

    def hurry(self) -> None:
        """Do nothing, because nothing has to wait here."""

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def choose(self, keys: Sequence[EventKey], number: int) -> list[EventKey]:
        return list(keys)[-number:]

    def __call__(self) -> Runtime:
        return Runtime(
            clock=lambda: self.now,
            throttle=self,
            console=self,
            sleep=self.sleep,
            choose=self.choose,
            workers=self.workers,
        )
