"""Fakes of what a run depends on, which record how it uses them, and a run with these fakes."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from redeliver.core.checkpoint import Checkpoint, Mark, SavedCheckpoint
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.outcome import Outcome
from redeliver.core.pages import Page
from redeliver.core.policy import Policy
from redeliver.engine.ports import Runtime, Store
from redeliver.engine.run import run
from redeliver.errors import UnavailableError
from redeliver.reporting.report import Report
from tests.support.builders import (
    NOW,
    OPTIONS,
    a_delivery,
    a_log,
    a_policy,
    a_webhook,
    delivered,
    saved,
)


class FakeHook:
    """A webhook that records the requested redeliveries, and raises `errors` for some."""

    per_page = 100

    def __init__(
        self,
        *log: Delivery,
        number: int = 1,
        errors: Mapping[str, BaseException] | None = None,
    ) -> None:
        self.webhook = a_webhook(number)
        self.log = sorted(log, key=lambda delivery: delivery.delivered_at, reverse=True)
        self.errors = errors or {}
        self.requested: list[str] = []
        self.scans = 0

    def pages(
        self, listed: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        del planning  # there is no rate limit here
        return a_log(self.rows(), per_page=self.per_page)(listed)

    def rows(self) -> Iterator[Delivery]:
        self.scans += 1
        yield from self.log

    def redeliver(self, delivery: Delivery) -> None:
        self.requested.append(delivery.guid)
        if delivery.guid in self.errors:
            raise self.errors[delivery.guid]


class FakeStore:
    """A checkpoint store that records every write. The write number `n` raises `fails[n]`."""

    name = "variable LAST_REDELIVERY of acme/ops"
    is_shared = True

    def __init__(
        self,
        checkpoint: datetime | None = NOW - timedelta(hours=6),
        *,
        fails: Mapping[int, BaseException] | None = None,
    ) -> None:
        self.saved = saved(checkpoint) if checkpoint else None
        self.written: list[datetime] = []
        self.marks: list[Mark] = []
        self.attempts = 0
        self.fails = fails or {}

    def read(self) -> SavedCheckpoint | None:
        return self.saved

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        del once
        self.attempts += 1
        if self.attempts in self.fails:
            raise self.fails[self.attempts]
        self.written.append(checkpoint.time)
        self.marks.append(checkpoint.mark)
        self.saved = SavedCheckpoint(checkpoint=checkpoint, written=NOW)
        return True


class FakeTime:
    """A clock in seconds that advances only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class FakeConsole:
    """A console that records everything: all lines in `said`, some of them in other lists, too."""

    def __init__(self, said: list[str] | None = None) -> None:
        self.said = [] if said is None else said
        self.remarks: list[str] = []
        self.details: list[str] = []
        self.shown: list[tuple[str, int, int | None]] = []
        self.masked: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def remark(self, line: str) -> None:
        self.say(line)
        self.remarks.append(line)

    def detail(self, line: str) -> None:
        self.say(line)
        self.details.append(line)

    def progress(self, what: str, done: int, total: int | None) -> None:
        self.shown.append((what, done, total))

    def mask(self, secret: str) -> None:
        self.masked.append(secret)


class FakeRuntime(FakeConsole):
    """A runtime that is its own console and throttle. A test moves its clock."""

    def __init__(self, *, workers: int = 1) -> None:
        super().__init__()
        self.now = NOW
        self.workers = workers
        self.numbers = itertools.count()
        self.seconds: Iterator[float] = itertools.count(step=0.45)
        """What was read before the last look at this clock is read again before it is replaced."""
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

    def __call__(self) -> Runtime:
        return Runtime(
            clock=lambda: self.now,
            monotonic=lambda: next(self.seconds),
            retention=lambda: timedelta(days=3),
            receiver_timeout=lambda: timedelta(seconds=10),
            token_expirations=dict,
            random=lambda: next(self.numbers),
            throttle=self,
            console=self,
            sleep=self.sleep,
            workers=self.workers,
        )


class BrokenHook(FakeHook):
    """A webhook whose log can be read only to row number `after`."""

    def __init__(self, *log: Delivery, after: int) -> None:
        super().__init__(*log)
        self.after = after

    def rows(self) -> Iterator[Delivery]:
        yield from self.log[: self.after]
        raise UnavailableError("GitHub is down")


class LossyHook(FakeHook):
    """A webhook whose responses about some events are lost.

    If it `shows` them, its log has the redeliveries all the same.
    """

    def __init__(self, *log: Delivery, loses: Collection[str], shows: bool) -> None:
        lost = UnavailableError("no usable response")
        super().__init__(*log, errors=dict.fromkeys(loses, lost))
        self.shows = shows

    def redeliver(self, delivery: Delivery) -> None:
        if delivery.guid in self.errors and self.shows:
            self.log.insert(0, a_delivery(delivery.guid, at=NOW, number=1, redelivery=True))
        super().redeliver(delivery)


class ReceivingHook(FakeHook):
    """A webhook whose log shows redeliveries and their outcomes after `shows_at` reads."""

    def __init__(
        self,
        *log: Delivery,
        fails: Collection[str] = (),
        shows_at: int = 1,
        number: int = 1,
        errors: Mapping[str, BaseException] | None = None,
    ) -> None:
        super().__init__(*log, number=number, errors=errors)
        self.fails = fails
        self.shows_at = shows_at
        self.redeliveries: list[Delivery] = []

    def redeliver(self, delivery: Delivery) -> None:
        super().redeliver(delivery)
        make = a_delivery if delivery.guid in self.fails else delivered
        self.redeliveries.insert(0, make(delivery.guid, at=NOW, number=99, redelivery=True))

    def rows(self) -> Iterator[Delivery]:
        yield from self.redeliveries if self.scans >= self.shows_at else []
        yield from super().rows()


class SharedStore(FakeStore):
    """A store to which another run writes `other`, just before read number `before`."""

    def __init__(self, checkpoint: datetime | None, *, other: datetime, before: int) -> None:
        super().__init__(checkpoint)
        self.other = other
        self.before = before
        self.reads = 0

    def read(self) -> SavedCheckpoint | None:
        self.reads += 1
        if self.reads == self.before:
            self.saved = saved(self.other, written=NOW)
        return super().read()


def run_once(
    hook: FakeHook,
    store: Store | None = None,
    *others: FakeHook,
    runtime: FakeRuntime | None = None,
    policy: Policy | None = None,
    probe: int | None = None,
    verify: float = 30,
    dry_run: bool = False,
) -> Report:
    """Run with fakes; `verify` is in seconds."""
    options = replace(
        OPTIONS,
        policy=policy or a_policy(),
        probe=probe,
        verify=timedelta(seconds=verify),
        dry_run=dry_run,
    )
    runtime = runtime or FakeRuntime()
    return run([hook, *others], store or FakeStore(), runtime(), options)


def outcomes(report: Report) -> dict[str, Outcome]:
    """Return the outcome of each event by its GUID."""
    return {result.decision.delivery.guid: result.outcome for result in report.results}
