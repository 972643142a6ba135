"""Stand-ins for webhooks, stores, consoles, throttles and time, which remember what happened."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.engine.ports import Runtime
from tests.support.builders import NOW, a_log, a_webhook, saved


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
