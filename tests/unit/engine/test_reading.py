"""Reading several logs at the same time, and the first page of one together with the checkpoint."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Event

import pytest

from redeliver.core.checkpoint import Ended, SavedCheckpoint
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.outcome import Outcome
from redeliver.core.pages import Page
from redeliver.core.policy import ScanMode
from redeliver.engine.run import run
from redeliver.errors import (
    AccessError,
    CheckpointError,
    RateLimitError,
    RedeliverError,
    UnreachableError,
)
from tests.support.builders import NOW, OPTIONS, a_delivery, ago, saved
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, ReceivingHook, run_once

FIRST_BEGINS = timedelta(hours=34)
"""When a run begins with the first webhook."""


class OwnStore(FakeStore):
    """A store that takes no request, so nothing is read at the same time."""

    is_shared = False


THREE_PAGES = [a_delivery(f"event-{hours}", at=ago(hours=hours)) for hours in (1, 2, 3)]


class Together(FakeHook):
    """A webhook whose first page is sent only while as many others are being read."""

    def __init__(self, number: int, barrier: Barrier) -> None:
        super().__init__(*THREE_PAGES, number=number)
        self.barrier = barrier

    def rows(self) -> Iterator[Delivery]:
        self.barrier.wait(timeout=10)
        yield from super().rows()


class Failing(FakeHook):
    """A webhook whose log cannot be read."""

    def __init__(self, number: int, error: RedeliverError) -> None:
        super().__init__(number=number)
        self.error = error

    def rows(self) -> Iterator[Delivery]:
        yield from ()
        raise self.error


class Late(FakeHook):
    """A webhook whose log, or error, is sent only after a run has left another log unread."""

    def __init__(
        self, number: int, runtime: FakeRuntime, error: RedeliverError | None = None
    ) -> None:
        super().__init__(*THREE_PAGES, number=number)
        self.per_page = 1
        self.runtime = runtime
        self.error = error

    def rows(self) -> Iterator[Delivery]:
        while not left(self.runtime):
            time.sleep(0.001)
        if self.error:
            raise self.error
        yield from super().rows()


def left(runtime: FakeRuntime) -> list[str]:
    """Return the lines about logs that were not read further."""
    return [line for line in runtime.said if line.startswith("Not reading further deliveries")]


def test_eight_logs_are_read_at_the_same_time() -> None:
    """Otherwise the first eight would wait for each other in vain."""
    barrier = Barrier(8)
    first, *others = (Together(number, barrier) for number in range(1, 17))

    report = run_once(first, OwnStore(), *others, runtime=FakeRuntime(workers=8), verify=0)

    assert report.count(Outcome.PENDING) == 16 * 3


def test_the_logs_of_eight_webhooks_show_outcomes_at_once() -> None:
    class Receiving(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.redeliveries:
                barrier.wait(timeout=10)
            yield from super().rows()

    barrier = Barrier(8)
    first, *others = (Receiving(*THREE_PAGES, number=number) for number in range(1, 17))

    report = run_once(first, None, *others, runtime=FakeRuntime(workers=8))

    assert report.count(Outcome.RECOVERED) == 16 * 3


def test_logs_read_at_once_give_the_same_report_as_in_turn() -> None:
    reports = []
    for workers in (1, 8):
        hooks = [FakeHook(*THREE_PAGES[:number], number=number) for number in range(1, 4)]
        hooks.append(FakeHook(number=4))
        reports.append(
            run_once(hooks[0], None, *hooks[1:], runtime=FakeRuntime(workers=workers), dry_run=True)
        )

    assert reports[0] == reports[1]


def test_a_rate_limit_ends_the_logs_that_are_under_way() -> None:
    """A log that fails likewise gets the same error, so that the report has it once."""
    runtime = FakeRuntime(workers=4)
    runtime.now = NOW + FIRST_BEGINS
    hooks = [
        Failing(1, RateLimitError("used up")),
        Late(2, runtime, RateLimitError("used up as well")),
        Late(3, runtime, AccessError("no right")),
        Late(4, runtime),
        FakeHook(*THREE_PAGES, number=5),
    ]

    report = run_once(hooks[0], OwnStore(), *hooks[1:], runtime=runtime, dry_run=True)

    errors = {scan.webhook.id: str(scan.error) for scan in report.scans}
    assert errors == {1: "used up", 2: "used up", 3: "no right", 4: "used up", 5: "used up"}
    assert [scan.scanned for scan in report.scans] == [0, 0, 0, 1, 0]
    assert len(left(runtime)) == 3


def test_two_webhooks_without_response_stop_only_new_ones() -> None:
    runtime = FakeRuntime(workers=4)
    runtime.now = NOW + FIRST_BEGINS
    hooks = [
        *(Failing(number, UnreachableError("no response")) for number in (1, 2)),
        Late(3, runtime, UnreachableError("none either")),
        *(Late(number, runtime) for number in (4, 5)),
        FakeHook(*THREE_PAGES, number=6),
    ]

    report = run_once(hooks[0], OwnStore(), *hooks[1:], runtime=runtime, dry_run=True)

    errors = {scan.webhook.id: scan.error and str(scan.error) for scan in report.scans}
    assert errors == {**dict.fromkeys((1, 2, 3, 6), "no response"), 4: None, 5: None}
    assert [scan.scanned for scan in report.scans] == [0, 0, 0, 3, 3, 0]
    assert len(left(runtime)) == 2


class Waiting(FakeStore):
    """A shared store whose reading takes `seconds`, and ends once a webhook has sent a page."""

    def __init__(self, saved: SavedCheckpoint, runtime: FakeRuntime, *, seconds: float = 0) -> None:
        super().__init__()
        self.saved = saved
        self.sent = Event()
        self.runtime = runtime
        self.seconds = seconds

    def read(self) -> SavedCheckpoint | None:
        assert self.sent.wait(timeout=10)
        until = next(self.runtime.seconds) + self.seconds
        while next(self.runtime.seconds) < until:
            pass
        return super().read()


class Sending(FakeHook):
    """A webhook with a row on each page, which tells `store` when it is read."""

    per_page = 1

    def __init__(self, *log: Delivery, store: Waiting, error: RedeliverError | None = None) -> None:
        super().__init__(*log)
        self.store = store
        self.error = error

    def rows(self) -> Iterator[Delivery]:
        self.scans += 1
        self.store.sent.set()
        yield from self.log
        if self.error:
            raise self.error


OLD = saved(ago(hours=6), written=ago(minutes=2), mark=Ended())


@pytest.mark.parametrize(
    ("written", "seconds", "readings"),
    [(ago(minutes=2), 0, 1), (ago(seconds=30), 0, 2), (ago(minutes=2), 2, 2)],
    ids=["usually", "another run may have ended since", "reading the checkpoint took 2 s"],
)
def test_the_first_page_is_read_with_the_checkpoint(
    written: datetime, seconds: float, readings: int
) -> None:
    runtime = FakeRuntime(workers=8)
    store = Waiting(saved(ago(hours=6), written=written, mark=Ended()), runtime, seconds=seconds)
    hook = Sending(*THREE_PAGES, store=store)

    report = run_once(hook, store, runtime=runtime, verify=0)

    assert hook.scans == readings
    assert report.count(Outcome.PENDING) == 3


def run_with_slow_page(written: datetime) -> tuple[FakeHook, FakeStore]:
    """Run at NOW with a first page that GitHub takes 20 seconds to send.

    The checkpoint, which is read at once, was written at `written`.
    """

    class Quick(Waiting):
        def read(self) -> SavedCheckpoint | None:
            saved = super().read()
            is_read.set()
            return saved

    class SlowResponse(Sending):
        def rows(self) -> Iterator[Delivery]:
            yield from super().rows()
            if self.scans == 1:
                assert waits_for_page.wait(timeout=10)
                runtime.now += timedelta(seconds=20)

    def seconds() -> Iterator[float]:
        while True:
            now = (runtime.now - NOW).total_seconds()
            if is_read.is_set():
                waits_for_page.set()
            yield now

    is_read, waits_for_page = Event(), Event()
    runtime = FakeRuntime(workers=8)
    runtime.seconds = seconds()
    store = Quick(saved(ago(hours=6), written=written, mark=Ended()), runtime)
    hook = SlowResponse(store=store)
    run_once(hook, store, runtime=runtime)
    return hook, store


def test_the_checkpoint_is_not_later_than_the_first_page() -> None:
    """Otherwise the next window would begin less than ten minutes before this page was sent."""
    hook, store = run_with_slow_page(written=ago(seconds=61))

    assert (hook.scans, store.written) == (1, [NOW])


def test_a_page_may_be_too_old_for_its_checkpoint() -> None:
    """A run wrote the checkpoint a minute before this one requested the page, or later.

    By the clock of another of GitHub's servers, it may have ended after the page was sent. Then the
    page can lack redeliveries of that run, so it is read again.
    """
    hook, store = run_with_slow_page(written=ago(seconds=60))

    assert (hook.scans, store.written) == (2, [NOW + timedelta(seconds=20)])


class Noting(FakeHook):
    """A webhook that notes how its log is read: with which filter, and whether for the plan."""

    def __init__(self, *log: Delivery) -> None:
        super().__init__(*log)
        self.read: list[tuple[StatusFilter, bool]] = []

    def pages(
        self, listed: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        self.read.append((listed, planning))
        return super().pages(listed, planning=planning)


@pytest.mark.parametrize("workers", [1, 8], ids=["by itself", "with the checkpoint"])
def test_only_reading_for_the_plan_leaves_requests(workers: int) -> None:
    """It is read once for the plan, and once for the outcomes; that may use the last requests."""
    hook = Noting(*THREE_PAGES)

    run_once(hook, runtime=FakeRuntime(workers=workers), verify=1)

    assert hook.read == [(StatusFilter.ALL, True), (StatusFilter.ALL, False)]


@pytest.mark.parametrize("workers", [1, 8], ids=["by itself", "with the checkpoint"])
def test_failures_alone_are_read_first_with_scan_failures(workers: int) -> None:
    """There are two filters, with one request each."""
    hook = Noting(*THREE_PAGES)
    runtime = FakeRuntime(workers=workers)
    options = replace(OPTIONS, scan=ScanMode.FAILURES, verify=timedelta())

    run([hook], FakeStore(), runtime(), options)

    assert hook.read == [(StatusFilter.FAILURES, True), (StatusFilter.SUCCESSES, True)]


def test_an_error_of_the_first_page_is_reported_once() -> None:
    runtime = FakeRuntime(workers=8)
    store = Waiting(OLD, runtime)
    hook = Sending(store=store, error=AccessError("no right"))

    with pytest.raises(AccessError, match="no right"):
        run_once(hook, store, runtime=runtime)

    assert (hook.scans, store.attempts) == (1, 0)


def test_an_error_of_the_checkpoint_ends_the_run() -> None:
    class Broken(Waiting):
        def read(self) -> SavedCheckpoint | None:
            super().read()
            raise CheckpointError("another value")

    runtime = FakeRuntime(workers=8)
    store = Broken(OLD, runtime)
    hook = Sending(*THREE_PAGES, store=store)

    with pytest.raises(CheckpointError):
        run_once(hook, store, runtime=runtime)

    assert (hook.requested, store.attempts) == ([], 0)


def test_a_bug_while_a_page_is_read_ahead_ends_the_run() -> None:
    class Buggy(Sending):
        def rows(self) -> Iterator[Delivery]:
            yield from super().rows()
            raise ZeroDivisionError

    runtime = FakeRuntime(workers=8)
    store = Waiting(OLD, runtime)

    with pytest.raises(ZeroDivisionError):
        run_once(Buggy(store=store), store, runtime=runtime)
