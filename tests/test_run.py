from collections.abc import Iterator
from datetime import timedelta

import pytest

from redeliver.delivery import Delivery
from redeliver.errors import (
    AccessError,
    RateLimitError,
    RefusalError,
    UnavailableError,
)
from redeliver.outcome import Fate
from redeliver.report import Report
from redeliver.run import run
from tests.builders import NOW, FakeHook, FakeStore, a_delivery, ago, delivered


def carry_out(
    hook: FakeHook,
    store: FakeStore | None = None,
    *,
    dry_run: bool = False,
    said: list[str] | None = None,
) -> Report:
    return run(
        hook,
        store or FakeStore(),
        now=NOW,
        lookback=timedelta(hours=24),
        dry_run=dry_run,
        wait_turn=lambda: None,
        say=([] if said is None else said).append,
    )


def fates(report: Report) -> dict[str, Fate]:
    return {outcome.decision.delivery.guid: outcome.fate for outcome in report.outcomes}


THREE = (
    a_delivery("first", at=ago(hours=3)),
    a_delivery("second", at=ago(hours=2)),
    a_delivery("third", at=ago(hours=1)),
)


def test_what_failed_is_redelivered_oldest_first_and_the_checkpoint_is_the_start() -> None:
    hook, store = FakeHook(*THREE, delivered("fine")), FakeStore()

    report = carry_out(hook, store)

    assert hook.asked == ["first", "second", "third"]
    assert fates(report) == dict.fromkeys(hook.asked, Fate.REDELIVERED)
    assert store.written[-1] == report.checkpoint == NOW
    assert report.problem is None


def test_an_empty_log_is_a_quiet_success() -> None:
    store = FakeStore()

    report = carry_out(FakeHook(), store)

    assert report.problem is None
    assert store.written == [NOW]


def test_the_same_value_is_written_before_the_first_redelivery() -> None:
    store = FakeStore(ago(hours=6))

    carry_out(FakeHook(*THREE), store)

    assert store.written == [ago(hours=6), NOW]


def test_a_missing_right_to_write_shows_before_the_first_redelivery() -> None:
    hook, store = FakeHook(*THREE), FakeStore(fails_at=1)
    store.error = AccessError("cannot write")

    with pytest.raises(AccessError):
        carry_out(hook, store)

    assert hook.asked == []


def test_a_first_run_that_dies_leaves_the_next_one_where_to_start() -> None:
    store = FakeStore(None)

    carry_out(FakeHook(*THREE), store)

    assert store.written == [ago(hours=24), NOW], "the first before anything is redelivered"


def test_a_run_that_cannot_read_leaves_the_checkpoint_alone() -> None:
    class BrokenHook(FakeHook):
        def deliveries(self) -> Iterator[Delivery]:
            yield THREE[2]
            raise UnavailableError("GitHub is down")

    hook, store = BrokenHook(), FakeStore()

    with pytest.raises(UnavailableError):
        carry_out(hook, store)

    assert (hook.asked, store.attempts) == ([], 0)


def test_one_refusal_does_not_stop_the_rest_and_holds_the_checkpoint() -> None:
    refusal = RefusalError("GitHub answered 422")
    hook, store = FakeHook(*THREE, refuses={"second": refusal}), FakeStore()

    report = carry_out(hook, store)

    assert hook.asked == ["first", "second", "third"]
    assert fates(report)["second"] is Fate.REFUSED
    assert store.written[-1] == ago(hours=2)
    assert report.problem
    assert report.problem.startswith("of 3 events that failed: 1 refused, ")


def test_a_lost_reply_is_left_for_the_next_run_and_the_rest_goes_on() -> None:
    lost = UnavailableError("no usable answer")
    hook, store = FakeHook(*THREE, refuses={"second": lost}), FakeStore()

    report = carry_out(hook, store)

    assert hook.asked == ["first", "second", "third"], "each once"
    assert fates(report)["second"] is Fate.DEFERRED
    assert store.written[-1] == ago(hours=2)
    assert report.problem


@pytest.mark.parametrize("error", [AccessError("no right"), RateLimitError("used up")])
def test_what_every_further_request_would_meet_ends_the_asking(error: Exception) -> None:
    hook, store = FakeHook(*THREE, refuses={"second": error}), FakeStore()

    report = carry_out(hook, store)

    assert hook.asked == ["first", "second"]
    assert fates(report) == {
        "first": Fate.REDELIVERED,
        "second": Fate.DEFERRED,
        "third": Fate.DEFERRED,
    }
    assert store.written[-1] == ago(hours=2)
    assert report.problem == str(error)


def test_a_checkpoint_that_cannot_be_saved_is_told_with_what_was_done() -> None:
    store = FakeStore(ago(hours=6), fails_at=2)
    store.error = UnavailableError("cannot write")

    report = carry_out(FakeHook(*THREE), store)

    assert report.count(Fate.REDELIVERED) == 3
    assert report.checkpoint == ago(hours=6)
    assert report.problem == "cannot write"


def test_both_what_stopped_the_run_and_what_kept_the_checkpoint_are_told() -> None:
    store = FakeStore(fails_at=2)
    store.error = UnavailableError("cannot write")

    report = carry_out(FakeHook(*THREE, refuses={"first": AccessError("no right")}), store)

    assert report.problem == "no right; cannot write"


def test_what_fails_while_the_run_reads_is_left_for_the_next() -> None:
    hook = FakeHook(
        a_delivery("new", at=ago(seconds=-1)),
        a_delivery("again", at=ago(seconds=-1), redelivery=True),
        a_delivery("again", at=ago(hours=1)),
        delivered("well", at=ago(seconds=-1), redelivery=True),
        a_delivery("well", at=ago(hours=1)),
    )

    report = carry_out(hook)

    assert (hook.asked, report.checkpoint) == ([], NOW)


def test_a_dry_run_decides_the_same_and_changes_nothing() -> None:
    log = (
        *THREE,
        a_delivery("expired", at=ago(hours=1), redelivery=True),
        delivered("fine", at=ago(hours=1), redelivery=True),
        a_delivery("fine", at=ago(hours=2)),
    )
    dry_hook, dry_store, hook = FakeHook(*log), FakeStore(None), FakeHook(*log)

    dry = carry_out(dry_hook, dry_store, dry_run=True)
    real = carry_out(hook, FakeStore(None))

    assert (dry_hook.asked, dry_store.attempts) == ([], 0)
    due = {guid for guid, fate in fates(dry).items() if fate is Fate.DUE}
    assert due == set(hook.asked)
    assert [o.decision for o in dry.outcomes] == [o.decision for o in real.outcomes]


def test_what_the_last_run_may_have_redelivered_a_moment_ago_waits_for_the_next() -> None:
    hook, store = FakeHook(a_delivery(at=ago(minutes=3))), FakeStore(ago(minutes=2))

    report = carry_out(hook, store)

    assert hook.asked == []
    assert store.written == [ago(minutes=2)]
    assert report.problem is None
    assert report.outcomes[0].fate is Fate.UNSETTLED


def test_the_log_tells_a_person_what_happened() -> None:
    said: list[str] = []

    carry_out(FakeHook(*THREE[:2], delivered("fine")), said=said)

    assert said == [
        (
            "Reading webhook 1 of organization acme back to 2026-11-24 05:50:00 UTC: "
            "the checkpoint in variable LAST_REDELIVERY of acme/ops, "
            "less 10 min for what shows late in the log"
        ),
        "Read 3 deliveries: 2 events failed",
        (
            "Redelivered: push first (delivery 4611686018427387905, "
            "failing for 3 h 0 min, 1 attempt, last status timed out, 504)"
        ),
        (
            "Redelivered: push second (delivery 4611686018427387905, "
            "failing for 2 h 0 min, 1 attempt, last status timed out, 504)"
        ),
        "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run",
    ]
