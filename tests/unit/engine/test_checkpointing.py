"""When a run saves the checkpoint, also after an error, an interruption or another run."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from signal import Signals

import pytest

from redeliver.cli.checkpoint_file import CheckpointFile
from redeliver.core.checkpoint import (
    Checkpoint,
    Claim,
    Ended,
    Mark,
    SavedCheckpoint,
    slot_end,
)
from redeliver.core.delivery import Delivery
from redeliver.core.outcome import Outcome
from redeliver.errors import (
    AccessError,
    Interrupted,
    LateError,
    RateLimitError,
    RefusalError,
    UnavailableError,
)
from redeliver.reporting import messages
from tests.support.builders import (
    NINE_FAILURES,
    NOW,
    THREE_FAILURES,
    a_delivery,
    a_policy,
    ago,
    delivered,
    saved,
)
from tests.support.fakes import (
    BrokenHook,
    FakeHook,
    FakeRuntime,
    FakeStore,
    ReceivingHook,
    SharedStore,
    outcomes,
    run_once,
)


def test_the_low_water_mark_is_saved_before_the_first_redelivery() -> None:
    store = FakeStore()

    run_once(ReceivingHook(*THREE_FAILURES), store)

    assert store.written == [ago(hours=3), NOW]


def test_a_missing_permission_prevents_the_first_redelivery() -> None:
    hook, store = FakeHook(*THREE_FAILURES), FakeStore(fails={1: AccessError("cannot write")})

    with pytest.raises(AccessError):
        run_once(hook, store)

    assert hook.requested == []


def test_a_first_run_saves_where_a_killed_run_would_resume() -> None:
    store = FakeStore(None)

    run_once(ReceivingHook(*THREE_FAILURES), store)

    assert store.written[0] == ago(hours=3), "before all redeliveries"
    assert store.written[-1] == NOW


def test_a_rate_limit_at_the_claim_defers_everything() -> None:
    hook = FakeHook(*THREE_FAILURES)
    store = FakeStore(fails={1: RateLimitError("used up until 12:30:00 UTC")})

    report = run_once(hook, store)

    assert hook.requested == []
    assert set(outcomes(report).values()) == {Outcome.DEFERRED}
    assert (report.status, report.checkpoint) == (0, ago(hours=6))
    assert messages.warnings(report) == ["used up until 12:30:00 UTC"]


def test_a_rate_limit_at_the_last_save_is_a_warning() -> None:
    store = FakeStore(fails={2: RateLimitError("used up until 12:30:00 UTC")})

    report = run_once(FakeHook(*THREE_FAILURES), store)

    assert report.count(Outcome.PENDING) == 3
    assert (report.status, report.checkpoint) == (0, ago(hours=3))
    assert messages.warnings(report) == ["used up until 12:30:00 UTC"]


def late() -> LateError:
    """Return the error of a write that was not sent, because a rate limit made it wait."""
    error = LateError("cannot write")
    error.__cause__ = RateLimitError("used up until 12:30:00 UTC")
    return error


def test_a_save_that_had_to_wait_is_tried_four_more_times() -> None:
    hook = a_delivery(redelivery=True)
    reports, stores = [], []
    for times in (4, 5):
        stores.append(FakeStore(fails={number: late() for number in range(1, times + 1)}))
        reports.append(run_once(FakeHook(hook), stores[-1]))

    assert [store.written for store in stores] == [[NOW], []]
    assert [report.limit for report in reports] == ["", "used up until 12:30:00 UTC"]
    assert [report.status for report in reports] == [0, 0]


def test_a_save_that_had_to_wait_does_not_replace_another_run() -> None:
    store = SharedStore(ago(hours=6), other=ago(hours=2), before=3)
    store.fails = {1: late()}

    report = run_once(FakeHook(a_delivery(redelivery=True)), store)

    assert (store.written, report.checkpoint) == ([], ago(hours=2))


def test_a_failed_last_save_is_reported_with_the_results() -> None:
    store = FakeStore(fails={2: UnavailableError("cannot write")})

    report = run_once(FakeHook(*THREE_FAILURES), store)

    assert report.count(Outcome.PENDING) == 3
    assert report.checkpoint == ago(hours=3)
    assert messages.problem(report) == "cannot write"


def test_a_failed_save_is_reported_if_nothing_was_due() -> None:
    store = FakeStore(fails={1: UnavailableError("cannot write")})

    report = run_once(FakeHook(a_delivery(redelivery=True)), store)

    assert report.count(Outcome.GIVEN_UP) == 1
    assert (report.status, messages.problem(report)) == (1, "cannot write")
    assert report.checkpoint == ago(hours=6)


def test_a_stopped_run_also_reports_a_failed_save() -> None:
    hook = FakeHook(*THREE_FAILURES, errors={"first": AccessError("no right")})

    report = run_once(hook, FakeStore(fails={2: UnavailableError("cannot write")}))

    assert messages.problem(report) == "no right. Also, cannot write"


def test_a_run_too_soon_after_another_does_nothing() -> None:
    hook = FakeHook(a_delivery("old", at=ago(minutes=3)), a_delivery("new", at=ago(minutes=1)))
    store = FakeStore()
    store.saved = saved(ago(minutes=4), written=ago(minutes=2))

    report = run_once(hook, store)

    assert (hook.requested, store.written) == ([], [])
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}
    assert report.status == 0


def test_a_run_that_was_overtaken_does_nothing() -> None:
    hook = FakeHook(*THREE_FAILURES)
    store = SharedStore(ago(hours=6), other=ago(hours=3), before=2)

    report = run_once(hook, store)

    assert (hook.requested, store.written) == ([], [])
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}
    assert report.status == 0


class TakenStore(FakeStore):
    """An empty store to which another run writes just before the first write of this run."""

    def __init__(self) -> None:
        super().__init__(None)

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        super().write(checkpoint, once=once)
        self.saved = saved(ago(hours=2))
        return False


def test_a_run_that_loses_the_first_write_does_nothing() -> None:
    hook = FakeHook(*THREE_FAILURES)

    report = run_once(hook, TakenStore())

    assert hook.requested == []
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}


@pytest.mark.parametrize("store", [TakenStore, FakeStore])
def test_the_end_of_each_event_is_logged_once(store: type[FakeStore]) -> None:
    runtime = FakeRuntime()

    run_once(
        FakeHook(*NINE_FAILURES), store(), runtime=runtime, policy=a_policy(max_redeliveries=2)
    )

    ends = [line for line in runtime.said if not line.startswith("Requested")]
    logged = [guid for line in ends for guid in line.split() if guid.startswith("event-")]
    assert sorted(logged) == sorted(delivery.guid for delivery in NINE_FAILURES)


def test_a_lost_first_write_reports_the_stored_checkpoint() -> None:
    report = run_once(FakeHook(), TakenStore())

    assert report.checkpoint == ago(hours=2)


@pytest.mark.parametrize("other", [ago(minutes=-1), ago(hours=4)], ids=["later", "earlier"])
def test_a_checkpoint_that_another_run_saved_meanwhile_stays(other: datetime) -> None:
    store = SharedStore(ago(hours=6), other=other, before=4)

    report = run_once(FakeHook(*THREE_FAILURES), store)

    assert report.checkpoint == other
    assert store.written == [ago(hours=3)], "only before the other run has written"


def test_a_slow_run_without_failures_reads_before_it_writes() -> None:
    class SlowHook(FakeHook):
        def rows(self) -> Iterator[Delivery]:
            runtime.now += timedelta(seconds=6)
            yield from self.log

    runtime = FakeRuntime()
    quick, slow = FakeStore(), SharedStore(ago(hours=6), other=ago(minutes=-1), before=2)

    run_once(FakeHook(), quick)
    run_once(SlowHook(), slow, runtime=runtime)

    assert quick.written == [NOW]
    assert slow.written == []


class SlowStore(FakeStore):
    """A store whose writes take a minute; another run may write `other` in this time."""

    def __init__(self, runtime: FakeRuntime, other: datetime | None = None) -> None:
        super().__init__()
        self.runtime = runtime
        self.other = other

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        self.runtime.now += timedelta(minutes=1)
        is_written = super().write(checkpoint, once=once)
        if self.other:
            self.saved = saved(self.other, written=self.runtime.now)
        return is_written


class FailingStore(FakeStore):
    """A store whose first write fails; `executes` it all the same, or another run writes `other`.

    The number of writes that fail is `failures`.
    """

    def __init__(
        self, *, failures: int = 1, executes: bool = False, other: datetime | None = None
    ) -> None:
        super().__init__()
        self.failures = failures
        self.executes = executes
        self.other = other

    def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        if self.attempts >= self.failures:
            return super().write(checkpoint, once=once)
        assert once, "the client does not repeat it"
        self.attempts += 1
        if self.executes:
            self.saved = SavedCheckpoint(checkpoint=checkpoint, written=NOW)
        if self.other:
            self.saved = saved(self.other, written=NOW)
        raise UnavailableError("502")


@pytest.mark.parametrize("executes", [True, False])
def test_a_claim_without_a_response_is_looked_up(*, executes: bool) -> None:
    runtime, hook = FakeRuntime(), ReceivingHook(*THREE_FAILURES)
    store = FailingStore(executes=executes)

    report = run_once(hook, store, runtime=runtime)

    assert report.count(Outcome.RECOVERED) == 3
    assert runtime.slept[0] == 0.5
    assert store.written[-1] == NOW


@pytest.mark.parametrize("other", [ago(hours=3), ago(hours=2)], ids=["the same", "another"])
def test_a_claim_that_another_run_made_meanwhile_is_lost(other: datetime) -> None:
    runtime, hook = FakeRuntime(), FakeHook(*THREE_FAILURES)

    report = run_once(hook, FailingStore(other=other), runtime=runtime)

    assert hook.requested == []
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}


def test_a_claim_that_always_fails_ends_the_run() -> None:
    runtime, store = FakeRuntime(), FailingStore(failures=99)

    with pytest.raises(UnavailableError):
        run_once(FakeHook(*THREE_FAILURES), store, runtime=runtime)

    assert (store.attempts, runtime.slept) == (5, [0.5, 1, 2, 4])


def test_a_slow_claim_counts_if_no_other_run_wrote() -> None:
    runtime, hook = FakeRuntime(), ReceivingHook(*THREE_FAILURES)

    report = run_once(hook, SlowStore(runtime), runtime=runtime)

    assert report.count(Outcome.RECOVERED) == 3


def test_a_slow_claim_is_lost_if_another_run_wrote() -> None:
    runtime, hook = FakeRuntime(), FakeHook(*THREE_FAILURES)

    report = run_once(hook, SlowStore(runtime, other=ago(hours=2)), runtime=runtime)

    assert hook.requested == []
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}


def test_a_slow_claim_always_counts_in_a_store_of_ones_own() -> None:
    class OwnStore(SlowStore):
        is_shared = False

    runtime, hook = FakeRuntime(), ReceivingHook(*THREE_FAILURES)

    report = run_once(hook, OwnStore(runtime), runtime=runtime)

    assert report.count(Outcome.RECOVERED) == 3


def test_a_long_run_saves_the_checkpoint_every_30_seconds() -> None:
    class SlowHook(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=20)

    runtime, store = FakeRuntime(), FakeStore()
    log = [a_delivery(f"event-{n}", at=ago(hours=5, minutes=-n)) for n in range(5)]

    run_once(SlowHook(*log), store, runtime=runtime)

    assert store.written == [*[ago(hours=5)] * 3, NOW], "the outcomes are known only at the end"


@pytest.mark.parametrize(
    ("seconds", "log", "reads"),
    [
        (0.39, (), 1),
        (0.41, (), 2),
        (0.39, THREE_FAILURES, 2),
        (0.41, THREE_FAILURES, 4),
    ],
)
def test_a_checkpoint_is_read_again_after_400_ms(
    seconds: float, log: tuple[Delivery, ...], reads: int
) -> None:
    """Each look at the clock is this much later. Before a write, the checkpoint must be fresh."""

    class CountingStore(FakeStore):
        reads = 0

        def read(self) -> SavedCheckpoint | None:
            self.reads += 1
            return super().read()

    runtime, store = FakeRuntime(), CountingStore()
    runtime.seconds = itertools.count(step=seconds)

    run_once(FakeHook(*log), store, runtime=runtime, verify=0)

    assert store.reads == reads


def test_a_save_is_due_after_exactly_30_seconds() -> None:
    """Until the end, each one says that the run may still redeliver."""

    class SlowHook(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=15)

    runtime, store = FakeRuntime(), FakeStore()

    run_once(SlowHook(*NINE_FAILURES), store, runtime=runtime)

    *during, at_end = store.marks
    assert len(during) == 1 + 4, "before them, and after every second of the nine"
    assert all(isinstance(mark, Claim) for mark in during)
    assert at_end == Ended()


def test_each_save_changes_the_value() -> None:
    """GitHub may say of an unchanged variable that it was not updated."""

    class SlowHook(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=31)

    runtime, store = FakeRuntime(), FakeStore()
    runtime.numbers = itertools.count(7, step=0)

    run_once(SlowHook(*NINE_FAILURES), store, runtime=runtime)

    assert len(store.marks) > 9
    assert all(mark != following for mark, following in itertools.pairwise(store.marks))


def test_a_failed_write_that_was_executed_is_the_runs_own() -> None:
    """Otherwise the run would take it for another run's, and save nothing at its end."""

    class SlowHook(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=70)

    class ExecutingStore(FakeStore):
        def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
            if self.attempts == 1:
                self.saved = SavedCheckpoint(checkpoint=checkpoint, written=NOW)
            return super().write(checkpoint, once=once)

    runtime, store = FakeRuntime(), ExecutingStore(fails={2: UnavailableError("cannot write")})

    run_once(SlowHook(*THREE_FAILURES), store, runtime=runtime)

    assert [type(mark) for mark in store.marks] == [Claim, Ended], "at the start, and at the end"


def test_a_failed_save_stops_the_redeliveries() -> None:
    class SlowHook(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=70)

    runtime, store = FakeRuntime(), FakeStore(fails={2: UnavailableError("cannot write")})

    report = run_once(SlowHook(*THREE_FAILURES), store, runtime=runtime)

    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.DEFERRED,
        "third": Outcome.DEFERRED,
    }
    assert report.trouble == ("cannot write",)


def test_an_interruption_saves_what_is_certain() -> None:
    hook = FakeHook(*THREE_FAILURES, errors={"second": Interrupted(Signals.SIGTERM)})
    store = FakeStore()

    report = run_once(hook, store)

    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.UNANSWERED,
        "third": Outcome.DEFERRED,
    }
    assert store.written[-1] == report.checkpoint == ago(hours=3)
    assert report.status == 143


@pytest.mark.parametrize("at", [1, 2])
def test_an_interrupted_write_is_repeated(at: int) -> None:
    store = FakeStore(fails={at: Interrupted(Signals.SIGINT)})

    report = run_once(FakeHook(*THREE_FAILURES), store)

    assert store.written[-1] == ago(hours=3)
    assert report.status == 130


def test_an_interruption_without_time_to_save_is_reported() -> None:
    class HangingStore(FakeStore):
        def write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
            if self.attempts:
                raise Interrupted(Signals.SIGINT)
            return super().write(checkpoint, once=once)

    report = run_once(FakeHook(*THREE_FAILURES), HangingStore())

    assert report.checkpoint == ago(hours=3)
    assert report.trouble == ("the run was stopped before it could save the checkpoint",)
    assert report.status == 130


def test_an_interrupted_run_that_was_overtaken_writes_nothing() -> None:
    class Interrupting(FakeRuntime):
        def say(self, line: str) -> None:
            super().say(line)
            if line.startswith("Deferred"):
                raise Interrupted(Signals.SIGINT)

    store = SharedStore(ago(hours=6), other=ago(hours=3), before=2)

    report = run_once(FakeHook(*THREE_FAILURES), store, runtime=Interrupting())

    assert store.written == []
    assert report.status == 130


def test_a_run_that_another_one_overtook_requests_no_more() -> None:
    class SlowHook(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=40)

    runtime, hook = FakeRuntime(), SlowHook(*THREE_FAILURES)
    store = SharedStore(ago(hours=6), other=ago(hours=1), before=4)

    report = run_once(hook, store, runtime=runtime)

    assert len(hook.requested) == 1
    assert (messages.problem(report) or "").startswith("another run has saved the checkpoint while")
    assert store.saved
    assert store.saved.checkpoint.time >= ago(hours=1)


def test_the_checkpoint_is_saved_during_a_long_search() -> None:
    class SlowLog(FakeHook):
        per_page = 1

        def rows(self) -> Iterator[Delivery]:
            for row in super().rows():
                if self.requested:
                    runtime.now += timedelta(seconds=10)
                yield row

    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(30)]
    refusal = RefusalError("404", if_all=AccessError("lacks a permission"))
    runtime, store = FakeRuntime(), FakeStore()
    hook = SlowLog(*log, errors={row.guid: refusal for row in log})

    run_once(hook, store, runtime=runtime)

    assert len(store.written) > 5


@pytest.mark.parametrize("has_file", [True, False], ids=["in a file", "in a variable"])
def test_a_long_run_recognises_what_it_has_saved(tmp_path: Path, *, has_file: bool) -> None:
    class SlowHook(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=31)

    runtime, hook = FakeRuntime(), SlowHook(*NINE_FAILURES)
    file = CheckpointFile(tmp_path / "checkpoint.json", clock=lambda: runtime.now)
    file.write(Checkpoint(ago(hours=6), Ended()))

    report = run_once(hook, file if has_file else None, runtime=runtime)

    assert (len(hook.requested), report.trouble, report.mark) == (9, (), Ended())
    saved_at_end = file.read()
    assert not has_file or (saved_at_end and saved_at_end.checkpoint == Checkpoint(NOW, Ended()))


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        pytest.param(Ended(), Ended((slot_end(NOW),)), id="ended"),
        pytest.param(
            Ended((ago(minutes=5),)), Ended((slot_end(NOW),)), id="ended, with a pending one"
        ),
        pytest.param(Claim(123), Claim(123), id="is redelivering"),
    ],
)
def test_an_overtaken_run_still_says_which_outcomes_are_unknown(mark: Mark, expected: Mark) -> None:
    """Another run, with nothing to redeliver, has saved the checkpoint meanwhile."""

    class OvertakingStore(FakeStore):
        reads = 0

        def read(self) -> SavedCheckpoint | None:
            self.reads += 1
            if self.reads == 4:
                self.saved = saved(ago(hours=2), written=NOW, mark=mark)
            return super().read()

    store = OvertakingStore()

    report = run_once(FakeHook(*THREE_FAILURES), store)

    assert report.count(Outcome.PENDING) == 3
    assert store.saved
    assert store.saved.checkpoint == Checkpoint(ago(hours=2), expected)


def test_a_run_overtaken_just_before_its_end_says_so_too() -> None:
    """It has read the checkpoint less than 0.4 s ago, and reads it again."""

    class SlowHook(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=40)

    class OvertakingStore(FakeStore):
        reads = 0

        def read(self) -> SavedCheckpoint | None:
            self.reads += 1
            if self.reads == 3:
                self.saved = saved(ago(hours=2), written=runtime.now, mark=Ended())
            return super().read()

    runtime, store, hook = FakeRuntime(), OvertakingStore(), SlowHook(*THREE_FAILURES)
    runtime.seconds = ((runtime.now - NOW).total_seconds() for _ in itertools.count())

    report = run_once(hook, store, runtime=runtime, verify=0)

    assert (report.count(Outcome.PENDING), hook.requested) == (1, ["first"])
    assert store.saved
    assert store.saved.checkpoint == Checkpoint(ago(hours=2), Ended((slot_end(NOW),)))


def test_a_run_that_looks_for_outcomes_has_not_ended() -> None:
    """Another run would not know which events it has redelivered."""

    class Meanwhile(FakeRuntime):
        def sleep(self, seconds: float) -> None:
            if seconds != 0.5:
                report = run_once(FakeHook(*THREE_FAILURES), store)
                during.append(set(outcomes(report).values()))

    during: list[set[Outcome]] = []
    store = FakeStore()

    run_once(ReceivingHook(*THREE_FAILURES), store, runtime=Meanwhile())

    assert during == [{Outcome.UNSETTLED}]
    assert store.marks[-1] == Ended()
    assert all(isinstance(mark, Claim) for mark in store.marks[:-1])


def test_a_run_that_does_not_look_for_outcomes_has_ended() -> None:
    store = FakeStore()

    run_once(FakeHook(*THREE_FAILURES), store, verify=0)

    assert store.marks[-1] == Ended((slot_end(NOW),))


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        pytest.param(FakeHook(), Ended(), id="every event was delivered"),
        pytest.param(
            ReceivingHook(a_delivery(at=ago(minutes=1))), Ended(), id="one failed since then"
        ),
        pytest.param(
            FakeHook(a_delivery(at=ago(minutes=9))),
            Ended((ago(minutes=5),)),
            id="it may be this event",
        ),
        pytest.param(
            BrokenHook(delivered(at=ago(minutes=1)), after=1),
            Ended((ago(minutes=5),)),
            id="a part of the log could not be read",
        ),
    ],
)
def test_unknown_outcomes_matter_while_an_event_may_have_them(
    hook: FakeHook, expected: Mark
) -> None:
    """An earlier run requested a redelivery between 11:50 and 11:55."""
    store = FakeStore()
    store.saved = saved(ago(hours=1), written=ago(minutes=6), mark=Ended((ago(minutes=5),)))

    run_once(hook, store)

    assert store.marks[-1] == expected
