"""The checkpoint is read again with the last page of the log if it is older than 0.2 seconds."""

import itertools
from collections.abc import Iterator
from threading import Barrier, Event

import pytest

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.delivery import Delivery
from redeliver.core.outcome import Outcome
from redeliver.errors import UnavailableError
from tests.support.builders import NOW, a_delivery, ago, delivered, saved
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, outcomes, run_once

FAILURE = a_delivery("failed", at=ago(hours=1))
BEFORE_CHECKPOINT = [delivered(f"old-{hours}", at=ago(hours=hours)) for hours in (7, 8, 9)]


class Slow(FakeHook):
    """A webhook with one row on a page. Its first page takes `seconds`."""

    per_page = 1

    def __init__(
        self, *log: Delivery, runtime: FakeRuntime, seconds: float, number: int = 1
    ) -> None:
        super().__init__(*log, *BEFORE_CHECKPOINT, number=number)
        self.now = 0.0
        self.seconds = seconds
        runtime.seconds = (self.now for _ in itertools.count())

    def rows(self) -> Iterator[Delivery]:
        for row in super().rows():
            yield row
            self.now += self.seconds
            self.seconds = 0.0


class Counting(FakeStore):
    """A shared store that counts how often it is read. Another run writes `other` after that."""

    def __init__(self, *, other: SavedCheckpoint | None = None, fails_at: int = 0) -> None:
        super().__init__()
        self.reads = 0
        self.other = other
        self.fails_at = fails_at

    def read(self) -> SavedCheckpoint | None:
        self.reads += 1
        if self.reads == self.fails_at:
            raise UnavailableError("no response")
        if self.reads > 1 and self.other:
            self.saved, self.other = self.other, None
        return super().read()


@pytest.mark.parametrize(("seconds", "reads"), [(0.19, 1), (0.21, 2), (0.9, 2)])
def test_a_quiet_run_reads_it_again_after_a_fifth_of_a_second(seconds: float, reads: int) -> None:
    """Then it need not be read again before it is written."""
    runtime, store = FakeRuntime(workers=8), Counting()

    run_once(Slow(runtime=runtime, seconds=seconds), store, runtime=runtime)

    assert (store.reads, store.written) == (reads, [NOW])


def test_the_last_page_and_the_checkpoint_are_read_together() -> None:
    class Together(Counting):
        def read(self) -> SavedCheckpoint | None:
            saved = super().read()
            if self.reads == 2:
                both.wait(timeout=10)
            return saved

    class LastPage(Slow):
        def rows(self) -> Iterator[Delivery]:
            for row in super().rows():
                if row.guid == "old-9":
                    both.wait(timeout=10)
                yield row

    both = Barrier(2)
    runtime, store = FakeRuntime(workers=8), Together()
    hook = LastPage(FAILURE, runtime=runtime, seconds=0.3)

    report = run_once(hook, store, runtime=runtime, verify=0)

    assert outcomes(report) == {"failed": Outcome.PENDING}
    assert store.reads == 3, "at the start, with the last page, and to see whether the claim stands"


def test_the_last_pages_of_several_logs_need_one_reading() -> None:
    class Last(Counting):
        def read(self) -> SavedCheckpoint | None:
            assert self.reads == 0 or all_read.wait(timeout=10)
            return super().read()

    class Third(Slow):
        def rows(self) -> Iterator[Delivery]:
            yield from super().rows()
            all_read.set()

    all_read = Event()
    runtime, store = FakeRuntime(workers=8), Last()
    others = [Slow(number=number, runtime=runtime, seconds=0) for number in (2, 3)]
    hook = Third(runtime=runtime, seconds=0.3)

    run_once(hook, store, *others, runtime=runtime)

    assert store.reads == 2


@pytest.mark.parametrize("log", [[FAILURE], []], ids=["a failure", "none"])
def test_a_run_that_then_sees_another_run_writes_nothing(log: list[Delivery]) -> None:
    runtime, store = FakeRuntime(workers=8), Counting(other=saved(ago(hours=2), written=NOW))
    hook = Slow(*log, runtime=runtime, seconds=0.3)

    report = run_once(hook, store, runtime=runtime)

    assert (hook.requested, store.written) == ([], [])
    assert set(outcomes(report).values()) <= {Outcome.UNSETTLED}
    assert report.status == 0


def test_a_failed_second_reading_is_repeated_before_the_write() -> None:
    runtime, store = FakeRuntime(workers=8), Counting(fails_at=2)

    report = run_once(Slow(runtime=runtime, seconds=0.5), store, runtime=runtime)

    assert (store.reads, store.written, report.status) == (3, [NOW], 0)


def test_a_log_that_is_read_far_back_needs_one_more_reading() -> None:
    """A failed redelivery needs 200 pages from before the checkpoint, back to its original."""

    class AllSlow(Slow):
        def rows(self) -> Iterator[Delivery]:
            for row in super().rows():
                yield row
                self.seconds = 0.3

    runtime, store = FakeRuntime(workers=8), Counting()
    older = [delivered(f"older-{number}", at=ago(hours=10 + number / 10)) for number in range(200)]
    again = a_delivery("failed", at=ago(hours=1), redelivery=True)
    original = a_delivery("failed", at=ago(hours=40))
    hook = AllSlow(again, runtime=runtime, seconds=0.3)
    hook.log += [*older, original]

    report = run_once(hook, store, runtime=runtime)

    assert (report.scans[0].scanned, store.reads) == (205, 3)


def test_a_run_that_does_not_write_reads_it_once() -> None:
    class Own(Counting):
        is_shared = False

    for store, dry_run in ((Counting(), True), (Own(), False)):
        runtime = FakeRuntime(workers=8)
        hook = Slow(runtime=runtime, seconds=0.9)

        run_once(hook, store, runtime=runtime, dry_run=dry_run)

        assert store.reads == (1 if dry_run else 2)
