"""A run from checkpoint to report, between fakes: in what order, and what trouble does to it."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from signal import Signals

import pytest

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.delivery import Delivery
from redeliver.core.events import EventFilter
from redeliver.core.outcome import Outcome
from redeliver.core.policy import Policy, ScanMode
from redeliver.engine.run import run
from redeliver.errors import (
    AccessError,
    Interrupted,
    RateLimitError,
    RefusalError,
    UnavailableError,
)
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.builders import NOW, OPTIONS, a_delivery, a_policy, ago, delivered, saved
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore

POLICY = a_policy()


def run_once(
    hook: FakeHook,
    store: FakeStore | None = None,
    *others: FakeHook,
    runtime: FakeRuntime | None = None,
    policy: Policy = POLICY,
    scan: ScanMode = ScanMode.FULL,
    probe: int | None = None,
    verify: float = 30,
    dry_run: bool = False,
) -> Report:
    runtime = runtime or FakeRuntime()
    return run(
        [hook, *others],
        store or FakeStore(),
        runtime(),
        replace(
            OPTIONS,
            policy=policy,
            scan=scan,
            probe=probe,
            verify=timedelta(seconds=verify),
            dry_run=dry_run,
        ),
    )


def outcomes(report: Report) -> dict[str, Outcome]:
    return {result.decision.delivery.guid: result.outcome for result in report.results}


THREE = (
    a_delivery("first", at=ago(hours=3), number=11),
    a_delivery("second", at=ago(hours=2), number=12),
    a_delivery("third", at=ago(hours=1), number=13),
)


def test_what_failed_is_redelivered_oldest_first_and_the_checkpoint_is_the_start() -> None:
    hook, store = FakeHook(*THREE, delivered("fine")), FakeStore()

    report = run_once(hook, store)

    assert hook.asked == ["first", "second", "third"]
    assert outcomes(report) == dict.fromkeys(hook.asked, Outcome.PENDING)
    assert store.written[-1] == report.checkpoint == NOW
    assert messages.problem(report) is None


def test_an_empty_log_is_a_quiet_success() -> None:
    store = FakeStore()

    report = run_once(FakeHook(), store)

    assert messages.problem(report) is None
    assert store.written == [NOW]


def test_the_low_water_mark_is_written_before_the_first_redelivery() -> None:
    store = FakeStore()

    run_once(FakeHook(*THREE), store)

    assert store.written == [ago(hours=3), NOW]


def test_a_missing_right_to_write_shows_before_the_first_redelivery() -> None:
    hook, store = FakeHook(*THREE), FakeStore(fails_at=1)
    store.error = AccessError("cannot write")

    with pytest.raises(AccessError):
        run_once(hook, store)

    assert hook.asked == []


def test_a_first_run_that_dies_leaves_the_next_one_where_to_start() -> None:
    store = FakeStore(None)

    run_once(FakeHook(*THREE), store)

    assert store.written == [ago(hours=3), NOW], "the first before anything is redelivered"


class BrokenHook(FakeHook):
    """A webhook whose log breaks off after so many rows."""

    def __init__(self, *log: Delivery, after: int) -> None:
        super().__init__(*log)
        self.after = after

    def rows(self) -> Iterator[Delivery]:
        yield from self.log[: self.after]
        raise UnavailableError("GitHub is down")


def test_a_run_that_cannot_read_leaves_the_checkpoint_alone() -> None:
    hook, store = BrokenHook(*THREE, after=0), FakeStore()

    with pytest.raises(UnavailableError):
        run_once(hook, store)

    assert (hook.asked, store.attempts) == ([], 0)


def test_a_log_that_breaks_off_has_redelivered_what_was_read_and_holds_the_checkpoint() -> None:
    hook, store = BrokenHook(*THREE, after=2), FakeStore()

    report = run_once(hook, store)

    assert hook.asked == ["second", "third"]
    assert store.saved
    assert store.saved.checkpoint == ago(hours=6)
    assert (report.status, messages.problem(report)) == (1, "GitHub is down")


def test_a_first_run_whose_log_breaks_off_leaves_the_next_one_where_to_start() -> None:
    store = FakeStore(None)

    report = run_once(BrokenHook(delivered("fine"), after=1), store)

    assert (report.status, store.written) == (1, [ago(hours=24)])


def test_one_refusal_does_not_stop_the_rest_and_holds_the_checkpoint() -> None:
    refusal = RefusalError("GitHub answered 422")
    hook, store = FakeHook(*THREE, refuses={"second": refusal}), FakeStore()

    report = run_once(hook, store)

    assert hook.asked == ["first", "second", "third"]
    assert outcomes(report)["second"] is Outcome.REFUSED
    assert store.written[-1] == ago(hours=2)
    assert messages.problem(report)
    assert (messages.problem(report) or "").startswith("of 3 events that failed: 1 refused. ")


def test_what_was_refused_because_it_left_the_log_is_dealt_with_and_named() -> None:
    class Forgetful(FakeHook):
        """A webhook whose log loses what it refuses."""

        def redeliver(self, delivery: Delivery) -> None:
            self.log = [row for row in self.log if row.guid not in self.refuses]
            super().redeliver(delivery)

    refusal = RefusalError("GitHub answered 404, Not Found")
    hook, store = Forgetful(*THREE, refuses={"first": refusal}), FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["first"] is Outcome.GONE
    assert report.results[0].because.endswith("Not Found: it has left GitHub's log")
    assert (store.written[-1], report.status) == (NOW, 0)
    assert messages.warnings(report)


def test_what_was_refused_is_undealt_when_the_log_does_not_tell_whether_it_left() -> None:
    class Unreadable(FakeHook):
        """A webhook whose log is read once."""

        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise UnavailableError("no usable answer")
            yield from super().rows()

    hook = Unreadable(*THREE, refuses={"first": RefusalError("GitHub answered 404, Not Found")})
    store = FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["first"] is Outcome.REFUSED
    assert store.written[-1] == THREE[0].delivered_at


class LossyHook(FakeHook):
    """A webhook that accepts what it answers no more; its log shows that, or not yet."""

    def __init__(self, *log: Delivery, loses: str, shows: bool) -> None:
        lost = UnavailableError("no usable answer")
        super().__init__(*log, refuses={loses: lost})
        self.shows = shows

    def redeliver(self, delivery: Delivery) -> None:
        if delivery.guid in self.refuses and self.shows:
            self.log.insert(0, a_delivery(delivery.guid, at=NOW, number=1, redelivery=True))
        super().redeliver(delivery)


def test_a_lost_reply_is_resolved_by_reading_the_log_again() -> None:
    hook, store = LossyHook(*THREE, loses="second", shows=True), FakeStore()
    runtime = FakeRuntime()

    report = run_once(hook, store, runtime=runtime)

    assert hook.asked == ["first", "second", "third"], "each once"
    assert outcomes(report)["second"] is Outcome.FAILING, "and what came of it is known, too"
    assert store.written == [ago(hours=3), ago(hours=2), NOW]
    assert report.status == 0


def test_a_lost_reply_that_the_log_does_not_resolve_is_left_for_the_next_run() -> None:
    hook, store = LossyHook(*THREE, loses="second", shows=False), FakeStore()

    report = run_once(hook, store)

    assert hook.asked == ["first", "second", "third"], "each once"
    assert outcomes(report)["second"] is Outcome.UNANSWERED
    assert store.written[-1] == ago(hours=2)
    assert report.status == 1


def test_a_webhook_of_which_nothing_is_answered_is_asked_no_more_and_that_is_told() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(7)]
    hook = LossyHook(*log, loses="6", shows=True)
    hook.refuses = {each.guid: UnavailableError("no usable answer") for each in log}

    report = run_once(hook)

    assert hook.asked == ["6", "5", "4", "3", "2"]
    assert outcomes(report)["2"] is Outcome.FAILING, "as the log shows in the end"
    assert outcomes(report)["1"] is outcomes(report)["0"] is Outcome.DEFERRED
    assert messages.problem(report) == (
        "5 redeliveries of webhook 1 of organization acme in a row went unanswered, so the run "
        "asked for no more of them"
    )
    assert report.status == 1


def test_what_went_unanswered_is_what_was_not_seen() -> None:
    class Fading(LossyHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise UnavailableError("GitHub is down")
            yield from super().rows()

    report = run_once(Fading(THREE[0], loses="first", shows=False))

    assert messages.warnings(report) == ["what came of 1 redelivery was not seen: GitHub is down"]


def test_a_log_that_cannot_be_read_again_changes_nothing() -> None:
    class Fading(LossyHook):
        reads = 0

        def rows(self) -> Iterator[Delivery]:
            self.reads += 1
            if self.reads > 1:
                raise UnavailableError("GitHub is down")
            yield from self.log

    hook, store = Fading(*THREE, loses="second", shows=True), FakeStore()

    report = run_once(hook, store)

    assert outcomes(report)["second"] is Outcome.UNANSWERED
    assert store.written[-1] == ago(hours=2)
    assert messages.warnings(report) == ["what came of 3 redeliveries was not seen: GitHub is down"]


@pytest.mark.parametrize("error", [AccessError("no right"), RateLimitError("used up")])
def test_what_every_further_request_would_meet_ends_the_asking(error: Exception) -> None:
    hook, store = FakeHook(*THREE, refuses={"second": error}), FakeStore()

    report = run_once(hook, store)

    assert hook.asked == ["first", "second"]
    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.DEFERRED,
        "third": Outcome.DEFERRED,
    }
    assert store.written[-1] == ago(hours=2)
    assert [*report.trouble, *filter(None, [report.limit])] == [str(error)]


def test_a_rate_limit_that_is_too_long_ends_the_run_cleanly() -> None:
    limit = RateLimitError("used up until 12:30:00 UTC")

    report = run_once(FakeHook(*THREE, refuses={"second": limit}))

    assert report.status == 0
    assert messages.warnings(report) == [str(limit)]


def test_a_rate_limit_before_the_first_redelivery_defers_everything() -> None:
    hook, store = FakeHook(*THREE), FakeStore(fails_at=1)
    store.error = RateLimitError("used up until 12:30:00 UTC")

    report = run_once(hook, store)

    assert hook.asked == []
    assert set(outcomes(report).values()) == {Outcome.DEFERRED}
    assert (report.status, report.checkpoint) == (0, ago(hours=6))
    assert messages.warnings(report) == ["used up until 12:30:00 UTC"]


def test_a_rate_limit_at_the_end_leaves_the_checkpoint_where_it_was_and_is_told() -> None:
    store = FakeStore(fails_at=2)
    store.error = RateLimitError("used up until 12:30:00 UTC")

    report = run_once(FakeHook(*THREE), store)

    assert report.count(Outcome.PENDING) == 3
    assert (report.status, report.checkpoint) == (0, ago(hours=3))
    assert messages.warnings(report) == ["used up until 12:30:00 UTC"]


def test_a_checkpoint_that_cannot_be_saved_is_told_with_what_was_done() -> None:
    store = FakeStore(ago(hours=6), fails_at=2)
    store.error = UnavailableError("cannot write")

    report = run_once(FakeHook(*THREE), store)

    assert report.count(Outcome.PENDING) == 3
    assert report.checkpoint == ago(hours=3)
    assert messages.problem(report) == "cannot write"


def test_a_quiet_run_that_cannot_save_the_checkpoint_still_tells_what_it_found() -> None:
    store = FakeStore(ago(hours=6), fails_at=1)
    store.error = UnavailableError("cannot write")

    report = run_once(FakeHook(a_delivery(redelivery=True)), store)

    assert report.count(Outcome.GIVEN_UP) == 1
    assert (report.status, messages.problem(report)) == (1, "cannot write")
    assert report.checkpoint == ago(hours=6)


def test_both_what_stopped_the_run_and_what_kept_the_checkpoint_are_told() -> None:
    store = FakeStore(fails_at=2)
    store.error = UnavailableError("cannot write")

    report = run_once(FakeHook(*THREE, refuses={"first": AccessError("no right")}), store)

    assert messages.problem(report) == "no right; cannot write"


def test_what_fails_while_the_run_reads_is_left_for_the_next() -> None:
    hook = FakeHook(
        a_delivery("new", at=ago(seconds=-1)),
        a_delivery("again", at=ago(seconds=-1), redelivery=True),
        a_delivery("again", at=ago(hours=1)),
        delivered("well", at=ago(seconds=-1), redelivery=True),
        a_delivery("well", at=ago(hours=1)),
    )

    report = run_once(hook)

    assert (hook.asked, report.checkpoint) == ([], NOW)


def test_a_dry_run_decides_the_same_and_changes_nothing() -> None:
    log = (
        *THREE,
        a_delivery("expired", at=ago(hours=1), redelivery=True),
        delivered("fine", at=ago(hours=1), redelivery=True),
        a_delivery("fine", at=ago(hours=2)),
    )
    dry_hook, dry_store, hook = FakeHook(*log), FakeStore(None), FakeHook(*log)

    dry = run_once(dry_hook, dry_store, dry_run=True)
    real = run_once(hook, FakeStore(None))

    assert (dry_hook.asked, dry_store.attempts) == ([], 0)
    due = {guid for guid, outcome in outcomes(dry).items() if outcome is Outcome.DUE}
    assert due == set(hook.asked)
    assert [o.decision for o in dry.results] == [o.decision for o in real.results]


def test_a_run_too_soon_after_another_asks_for_nothing_and_writes_nothing() -> None:
    hook = FakeHook(a_delivery("old", at=ago(minutes=3)), a_delivery("new", at=ago(minutes=1)))
    store = FakeStore()
    store.saved = saved(ago(minutes=4), written=ago(minutes=2))

    report = run_once(hook, store)

    assert (hook.asked, store.written) == ([], [])
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}
    assert report.status == 0


class SharedStore(FakeStore):
    """A place for the checkpoint that another run writes to before the nth reading."""

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


@pytest.mark.parametrize("checkpoint", [ago(hours=6), None])
def test_a_run_that_another_has_overtaken_leaves_everything_to_it(
    checkpoint: datetime | None,
) -> None:
    hook, store = FakeHook(*THREE), SharedStore(checkpoint, other=ago(hours=3), before=2)

    report = run_once(hook, store)

    assert (hook.asked, store.written) == ([], [])
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}
    assert report.status == 0


def test_a_first_run_that_is_second_to_create_the_checkpoint_leaves_everything_to_the_other() -> (
    None
):
    class TakenStore(FakeStore):
        def write(self, checkpoint: datetime) -> bool:
            super().write(checkpoint)
            return False

    hook = FakeHook(*THREE)

    report = run_once(hook, TakenStore(None))

    assert hook.asked == []
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}


def test_the_checkpoint_of_a_run_that_has_come_further_stands() -> None:
    store = SharedStore(ago(hours=6), other=NOW + timedelta(minutes=1), before=3)

    report = run_once(FakeHook(*THREE), store)

    assert report.checkpoint == NOW + timedelta(minutes=1)
    assert store.written == [ago(hours=3), NOW + timedelta(minutes=1)]


def test_a_quiet_run_that_took_its_time_looks_before_it_writes() -> None:
    class SlowHook(FakeHook):
        def rows(self) -> Iterator[Delivery]:
            runtime.now += timedelta(seconds=6)
            yield from self.log

    runtime = FakeRuntime()
    quick, slow = FakeStore(), SharedStore(ago(hours=6), other=ago(minutes=-1), before=2)

    run_once(FakeHook(), quick)
    run_once(SlowHook(), slow, runtime=runtime)

    assert quick.written == [NOW]
    assert slow.written == [ago(minutes=-1)]


def test_a_claim_that_had_to_wait_is_too_late() -> None:
    class SlowStore(FakeStore):
        def write(self, checkpoint: datetime) -> bool:
            runtime.now += timedelta(seconds=60)
            return super().write(checkpoint)

    runtime, hook = FakeRuntime(), FakeHook(*THREE)

    report = run_once(hook, SlowStore(), runtime=runtime)

    assert hook.asked == [], "another run had time to begin"
    assert set(outcomes(report).values()) == {Outcome.UNSETTLED}


def test_a_checkpoint_that_another_run_made_in_between_is_told_as_it_stands() -> None:
    class TakenStore(FakeStore):
        def write(self, checkpoint: datetime) -> bool:
            super().write(checkpoint)
            self.saved = saved(ago(hours=2))
            return False

    report = run_once(FakeHook(), TakenStore(None))

    assert report.checkpoint == ago(hours=2)


def test_a_github_that_does_not_answer_is_not_asked_for_everything() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=1, seconds=n)) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable answer") for row in log}
    hook = FakeHook(*log, refuses=lost)

    report = run_once(hook)

    assert len(hook.asked) == 5
    assert (report.count(Outcome.UNANSWERED), report.count(Outcome.DEFERRED)) == (5, 15)
    assert report.status == 1


def test_a_webhook_without_answers_does_not_stop_the_others() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=5, seconds=n), number=n) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable answer") for row in log}
    silent, well = FakeHook(*log, number=1, refuses=lost), FakeHook(*THREE, number=2)

    run_once(silent, None, well)

    assert (len(silent.asked), well.asked) == (5, ["first", "second", "third"])


@pytest.mark.parametrize("probe", [None, 1])
def test_what_is_given_up_is_named_before_the_checkpoint_passes_it(probe: int | None) -> None:
    class ListeningStore(FakeStore):
        def write(self, checkpoint: datetime) -> bool:
            told.append([line.split(":")[0] for line in runtime.said if "push" in line])
            return super().write(checkpoint)

    told: list[list[str]] = []
    runtime = FakeRuntime()
    hook = FakeHook(*THREE, a_delivery("too old", at=ago(minutes=30), redelivery=True))

    run_once(hook, ListeningStore(), runtime=runtime, probe=probe)

    assert told[0] == ["Given up"], "a run that is killed after this leaves nothing but its log"


def test_a_long_run_saves_the_checkpoint_once_a_minute() -> None:
    class SlowHook(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=40)

    runtime, store = FakeRuntime(), FakeStore()
    log = [a_delivery(f"event-{n}", at=ago(hours=5, minutes=-n)) for n in range(5)]

    run_once(SlowHook(*log), store, runtime=runtime)

    start = ago(hours=5)
    minutes = [(mark - start) // timedelta(minutes=1) for mark in store.written[:-1]]
    assert minutes == [0, 2, 4], "what is asked for next is the oldest that is not dealt with"
    assert store.written[-1] == NOW


def test_a_long_run_that_cannot_save_the_checkpoint_stops_asking() -> None:
    class SlowHook(FakeHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            runtime.now += timedelta(seconds=70)

    runtime, store = FakeRuntime(), FakeStore(fails_at=2)
    store.error = UnavailableError("cannot write")

    report = run_once(SlowHook(*THREE), store, runtime=runtime)

    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.DEFERRED,
        "third": Outcome.DEFERRED,
    }
    assert report.trouble == ("cannot write",)


def test_an_interruption_saves_what_is_certain() -> None:
    hook = FakeHook(*THREE, refuses={"second": Interrupted(Signals.SIGTERM)})
    store = FakeStore()

    report = run_once(hook, store)

    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.UNANSWERED,
        "third": Outcome.DEFERRED,
    }
    assert store.written[-1] == report.checkpoint == ago(hours=2)
    assert report.status == 143


@pytest.mark.parametrize("at", [1, 2])
def test_an_interruption_while_the_checkpoint_is_written_writes_it_once_more(at: int) -> None:
    store = FakeStore(fails_at=at)
    store.error = Interrupted(Signals.SIGINT)

    report = run_once(FakeHook(*THREE), store)

    assert store.written[-1] == (ago(hours=3) if at == 1 else NOW)
    assert report.status == 130


def test_an_interruption_with_no_time_left_to_save_is_told() -> None:
    class HangingStore(FakeStore):
        def write(self, checkpoint: datetime) -> bool:
            if self.attempts:
                raise Interrupted(Signals.SIGINT)
            return super().write(checkpoint)

    report = run_once(FakeHook(*THREE), HangingStore())

    assert report.checkpoint == ago(hours=3)
    assert report.trouble == ("there was no time left to save the checkpoint",)
    assert report.status == 130


def test_an_interruption_of_a_run_that_keeps_still_writes_nothing() -> None:
    class Startled(FakeRuntime):
        def say(self, line: str) -> None:
            super().say(line)
            if line.startswith("Unsettled"):
                raise Interrupted(Signals.SIGINT)

    store = SharedStore(ago(hours=6), other=ago(hours=3), before=2)

    report = run_once(FakeHook(*THREE), store, runtime=Startled())

    assert store.written == []
    assert report.status == 130


def test_a_checkpoint_older_than_the_log_is_kept_is_told() -> None:
    report = run_once(FakeHook(), FakeStore(ago(hours=80)))

    assert report.unseen == (ago(hours=80, minutes=10), ago(hours=72))
    assert report.status == 0


def test_the_log_tells_a_person_what_happened() -> None:
    runtime = FakeRuntime()

    run_once(FakeHook(*THREE[:2], delivered("fine")), runtime=runtime)

    assert runtime.said == [
        (
            "Reading all deliveries back to 2026-11-24 05:50:00 UTC: the checkpoint in "
            "variable LAST_REDELIVERY of acme/ops, less 10 min for what shows late"
        ),
        "Read 3 deliveries of webhook 1 of organization acme: 2 events failed",
        (
            "Redelivered: push first (delivery 11, "
            "failing for 3 h 0 min, 1 attempt, last status timed out, 504)"
        ),
        (
            "Redelivered: push second (delivery 12, "
            "failing for 2 h 0 min, 1 attempt, last status timed out, 504)"
        ),
        "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run",
    ]


# What became of the redeliveries.


class ReceivingHook(FakeHook):
    """A webhook whose log shows what came of a redelivery so many looks after the first reading."""

    def __init__(
        self, *log: Delivery, fails: Collection[str] = (), shows_at: int = 1, number: int = 1
    ) -> None:
        super().__init__(*log, number=number)
        self.fails = fails
        self.shows_at = shows_at
        self.to_show: list[Delivery] = []

    def redeliver(self, delivery: Delivery) -> None:
        super().redeliver(delivery)
        make = a_delivery if delivery.guid in self.fails else delivered
        self.to_show.insert(0, make(delivery.guid, at=NOW, number=99, redelivery=True))

    def rows(self) -> Iterator[Delivery]:
        yield from self.to_show if self.scans >= self.shows_at else []
        yield from super().rows()


def test_what_came_of_each_redelivery_is_looked_up() -> None:
    hook, runtime = ReceivingHook(*THREE, fails={"second"}), FakeRuntime()

    report = run_once(hook, runtime=runtime)

    assert outcomes(report) == {
        "first": Outcome.RECOVERED,
        "second": Outcome.FAILING,
        "third": Outcome.RECOVERED,
    }
    assert report.results[1].attempts == 2
    assert runtime.slept == [1], "no longer than it takes"


def test_looking_goes_on_ever_more_slowly_until_everything_shows() -> None:
    hook, runtime = ReceivingHook(*THREE, shows_at=4), FakeRuntime()

    report = run_once(hook, runtime=runtime)

    assert report.count(Outcome.RECOVERED) == 3
    assert runtime.slept == [1, 1, 2, 4]


def test_looking_ends_when_its_time_is_up() -> None:
    hook, runtime = ReceivingHook(*THREE, shows_at=99), FakeRuntime()

    report = run_once(hook, runtime=runtime, verify=100)

    assert report.count(Outcome.PENDING) == 3
    assert runtime.slept == [1, 1, 2, 4, 8, 16, 30, 30, 8]


def test_reading_takes_time_as_well() -> None:
    class SlowHook(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                runtime.now += timedelta(seconds=20)
            yield from super().rows()

    runtime = FakeRuntime()
    hook = SlowHook(*THREE, shows_at=99)

    run_once(hook, runtime=runtime, verify=30)

    assert len(runtime.slept) == 2


def test_a_log_that_cannot_be_read_again_leaves_the_others_to_be_looked_at() -> None:
    class Fading(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise UnavailableError("GitHub is down")
            yield from super().rows()

    fading, well = Fading(*THREE, number=1), ReceivingHook(*THREE, number=2, shows_at=3)

    report = run_once(fading, None, well)

    assert (report.count(Outcome.PENDING), report.count(Outcome.RECOVERED)) == (3, 3)
    assert messages.warnings(report) == ["what came of 3 redeliveries was not seen: GitHub is down"]


def test_each_webhook_has_its_own_reason_why_nothing_was_seen() -> None:
    class Fading(ReceivingHook):
        def rows(self) -> Iterator[Delivery]:
            if self.scans:
                raise UnavailableError(f"{self.webhook.name} is gone")
            yield from super().rows()

    report = run_once(Fading(*THREE[:2], number=1), None, Fading(THREE[2], number=2))

    assert messages.warnings(report) == [
        "what came of 2 redeliveries was not seen: webhook 1 of organization acme is gone",
        "what came of 1 redelivery was not seen: webhook 2 of organization acme is gone",
    ]


class Faltering(ReceivingHook):
    """A webhook whose log cannot be read once: when it is looked at first."""

    def rows(self) -> Iterator[Delivery]:
        if self.scans == 1:
            self.scans += 1
            raise UnavailableError("GitHub is down")
        yield from super().rows()


@pytest.mark.parametrize("shows_at", [1, 99])
def test_a_look_that_failed_is_not_told_when_a_later_one_did_not(shows_at: int) -> None:
    report = run_once(Faltering(*MANY, shows_at=shows_at), probe=3)

    assert report.count(Outcome.RECOVERED, Outcome.PENDING) == 9
    assert messages.warnings(report) == []


def test_without_verification_nobody_looks() -> None:
    hook, runtime = ReceivingHook(*THREE), FakeRuntime()

    report = run_once(hook, runtime=runtime, verify=0)

    assert (report.count(Outcome.PENDING), runtime.slept, hook.scans) == (3, [], 1)


def test_the_checkpoint_is_saved_before_anybody_looks() -> None:
    class Startled(FakeRuntime):
        def sleep(self, _seconds: float) -> None:
            raise Interrupted(Signals.SIGINT)

    store = FakeStore()

    report = run_once(ReceivingHook(*THREE), store, runtime=Startled())

    assert store.written == [ago(hours=3), NOW, NOW]
    assert (report.count(Outcome.PENDING), report.status) == (3, 130)


# Several webhooks.


def test_events_of_several_webhooks_go_oldest_first_each_to_its_own() -> None:
    one = FakeHook(*THREE[::2], number=1)
    two = FakeHook(THREE[1], a_delivery("first", at=ago(minutes=30)), number=2)

    report = run_once(one, None, two)

    assert (one.asked, two.asked) == (["first", "third"], ["second", "first"])
    assert [o.decision.webhook.id for o in report.results] == [1, 2, 1, 2]


def test_a_webhook_that_cannot_be_read_is_told_and_the_others_go_on() -> None:
    broken, well = BrokenHook(*THREE, after=0), FakeHook(*THREE, number=2)
    store = FakeStore()

    report = run_once(broken, store, well)

    assert well.asked == ["first", "second", "third"]
    assert (report.status, messages.problem(report)) == (1, "GitHub is down")
    assert store.saved
    assert store.saved.checkpoint == ago(hours=6), "the lowest of their marks"


def test_the_checkpoint_is_the_lowest_that_any_webhook_needs() -> None:
    refusal = RefusalError("GitHub answered 422")
    one = FakeHook(*THREE, number=1, refuses={"third": refusal})
    two = FakeHook(*THREE, number=2, refuses={"second": refusal})
    store = FakeStore()

    run_once(one, store, two)

    assert store.written[-1] == ago(hours=2)


def test_a_run_none_of_whose_webhooks_can_be_read_changes_nothing() -> None:
    store = FakeStore()

    with pytest.raises(UnavailableError):
        run_once(BrokenHook(after=0), store, BrokenHook(after=0))

    assert store.attempts == 0


def test_after_a_rate_limit_no_other_webhook_is_read() -> None:
    class Limited(FakeHook):
        def rows(self) -> Iterator[Delivery]:
            yield from self.log
            raise RateLimitError("used up until 12:30:00 UTC")

    limited, other = Limited(delivered("fine")), FakeHook(*THREE, number=2)

    report = run_once(limited, None, other)

    assert (other.scans, other.asked) == (0, [])
    assert messages.problem(report) == "used up until 12:30:00 UTC", "told once"


def test_a_missing_right_to_one_webhook_leaves_the_others_alone() -> None:
    one = FakeHook(*THREE, number=1, refuses={"first": AccessError("no right")})
    two = FakeHook(*THREE, number=2)

    report = run_once(one, None, two)

    assert (one.asked, two.asked) == (["first"], ["first", "second", "third"])
    assert messages.problem(report) == "no right"


def test_a_run_without_a_webhook_says_so() -> None:
    store = FakeStore()

    report = run([], store, FakeRuntime()(), OPTIONS)

    assert (report.status, messages.warnings(report)) == (
        0,
        ["there is no active webhook, so nothing was read"],
    )
    assert store.written == [NOW]


# Filters and bounds.


def test_what_is_filtered_out_is_not_asked_for_and_does_not_hold_the_checkpoint() -> None:
    hook = FakeHook(*THREE, a_delivery("unwanted", event="check_run", at=ago(hours=5)))
    store, runtime = FakeStore(), FakeRuntime()

    report = run_once(
        hook, store, runtime=runtime, policy=a_policy(events=EventFilter(("!check_*",)))
    )

    assert hook.asked == ["first", "second", "third"]
    assert (report.failed, report.count(Outcome.FILTERED)) == (3, 1)
    assert store.written[-1] == NOW
    assert not any("unwanted" in line for line in runtime.said), "it is only counted"


def test_what_is_too_much_for_one_run_is_left_for_the_next() -> None:
    hook, store = FakeHook(*THREE), FakeStore()

    report = run_once(hook, store, policy=a_policy(max_redeliveries=2))

    assert hook.asked == ["first", "second"]
    assert outcomes(report)["third"] is Outcome.DEFERRED
    assert (store.written[-1], report.status, messages.warnings(report)) == (ago(hours=1), 0, [])


def test_what_github_refuses_does_not_take_the_place_of_others() -> None:
    refusal = RefusalError("GitHub answered 422")
    hook = FakeHook(*THREE, refuses={"first": refusal})

    report = run_once(hook, policy=a_policy(max_redeliveries=1))

    assert hook.asked == ["first", "second"]
    assert (report.count(Outcome.REFUSED), report.count(Outcome.DEFERRED)) == (1, 1)


def test_a_webhook_that_is_left_alone_leaves_its_places_to_others() -> None:
    down = ReceivingHook(*MANY, fails=ALL, number=1)
    well = ReceivingHook(*MANY, number=2)

    run_once(down, None, well, policy=a_policy(max_redeliveries=8), probe=2)

    assert (len(down.asked), len(well.asked)) == (2, 6)


# The probe.

MANY = [a_delivery(f"event-{n}", at=ago(hours=3, minutes=-n), number=n + 10) for n in range(9)]
ALL = {f"event-{n}" for n in range(9)}


def test_a_receiver_that_takes_nothing_is_left_alone_until_the_next_run() -> None:
    hook, store = ReceivingHook(*MANY, fails=ALL), FakeStore()

    report = run_once(hook, store, probe=3)

    assert hook.asked == ["event-6", "event-7", "event-8"]
    assert (report.count(Outcome.FAILING), report.count(Outcome.DEFERRED)) == (3, 6)
    assert store.written[-1] == ago(hours=3)
    (warning,) = messages.warnings(report)
    assert warning == (
        "6 events left for the next run: the receiver seems to be down: "
        "all 3 that were tried first failed"
    )
    assert report.status == 0


@pytest.mark.parametrize(
    ("fails", "shows_at"),
    [
        pytest.param(ALL - {"event-7"}, 1, id="takes one"),
        pytest.param(ALL, 99, id="may still take some"),
    ],
)
def test_a_receiver_gets_the_rest_if_it(fails: set[str], shows_at: int) -> None:
    hook = ReceivingHook(*MANY, fails=fails, shows_at=shows_at)

    run_once(hook, probe=3)

    rest = ["event-0", "event-1", "event-2", "event-3", "event-4", "event-5"]
    assert hook.asked == ["event-6", "event-7", "event-8", *rest], "each once, the oldest first"


def test_few_events_need_no_probe() -> None:
    hook = ReceivingHook(*MANY, fails=ALL)

    run_once(hook, probe=9)

    assert len(hook.asked) == 9


def test_each_webhook_has_a_receiver_of_its_own() -> None:
    down, well = ReceivingHook(*MANY, fails=ALL, number=1), ReceivingHook(*MANY, number=2)

    report = run_once(down, None, well, probe=2)

    assert (len(down.asked), len(well.asked)) == (2, 9)
    assert report.count(Outcome.RECOVERED) == 9


def test_a_probe_that_github_does_not_take_says_nothing_of_the_receiver() -> None:
    class Refusing(ReceivingHook):
        def redeliver(self, delivery: Delivery) -> None:
            super().redeliver(delivery)
            if delivery.guid != "event-6":
                raise RefusalError("GitHub answered 422")

    hook = Refusing(*MANY, fails=ALL)

    run_once(hook, probe=3)

    assert len(hook.asked) == 9


def test_the_checkpoint_is_kept_saved_while_a_probe_is_waited_for() -> None:
    class Clockwork(FakeRuntime):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            self.now += timedelta(seconds=seconds)

    store = FakeStore()

    run_once(ReceivingHook(*MANY, shows_at=99), store, runtime=Clockwork(), probe=3, verify=300)

    assert len(store.written) >= 1 + 4 + 1


def test_a_probe_after_which_the_checkpoint_cannot_be_saved_is_the_last() -> None:
    class Clockwork(FakeRuntime):
        def sleep(self, seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

    hook, store = ReceivingHook(*MANY, shows_at=99), FakeStore(fails_at=2)
    store.error = UnavailableError("cannot write")

    report = run_once(hook, store, runtime=Clockwork(), probe=3, verify=90)

    assert len(hook.asked) == 3
    assert messages.problem(report) == "cannot write"


# The dry run.


def test_a_dry_run_tells_the_plan_that_a_real_run_carries_out_in_its_order() -> None:
    log = (
        *THREE,
        *MANY,
        a_delivery("unwanted", event="check_run"),
        a_delivery("x", redelivery=True),
    )
    policy = a_policy(max_redeliveries=5, events=EventFilter(("push",)))
    real, runtime = FakeHook(*log), FakeRuntime()

    run_once(FakeHook(*log), runtime=runtime, policy=policy, dry_run=True)
    run_once(real, policy=policy)

    would = [line.split()[4] for line in runtime.said if line.startswith("Would be redelivered")]
    assert would == real.asked
    assert len(would) == 5


def test_a_dry_run_tells_of_the_probe_as_well() -> None:
    few, many = FakeRuntime(), FakeRuntime()

    run_once(FakeHook(*THREE), runtime=few, probe=3, dry_run=True)
    run_once(FakeHook(*MANY), runtime=many, probe=3, dry_run=True)

    assert [
        len([line for line in each.said if line.startswith("Trying 3")]) for each in (few, many)
    ] == [0, 1]


def test_reading_and_redelivering_show_how_far_they_are() -> None:
    runtime = FakeRuntime()

    run_once(FakeHook(*THREE), runtime=runtime)

    assert ("Reading webhook 1 of organization acme: deliveries", 3, None) in runtime.shown
    assert ("Redelivering", 3, 3) in runtime.shown
    assert ("Waiting for the log: seconds", 0, 30) in runtime.shown


def test_what_moves_up_is_more_to_redeliver() -> None:
    runtime = FakeRuntime()
    refusals = {guid: RefusalError("GitHub answered 422") for guid in ("first", "second")}

    run_once(
        FakeHook(*THREE, refuses=refusals), runtime=runtime, policy=a_policy(max_redeliveries=1)
    )

    redelivering = [shown[1:] for shown in runtime.shown if shown[0] == "Redelivering"]
    assert redelivering == [(1, 1), (2, 2), (3, 3)]
