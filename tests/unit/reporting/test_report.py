"""What a run says of itself: status, problems, warnings, lines of the log."""

from dataclasses import replace
from datetime import datetime, timedelta
from signal import Signals
from typing import Any

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.outcome import NOT_REACHED, EventResult, Outcome
from redeliver.core.policy import RunOptions, ScanMode
from redeliver.errors import UnavailableError
from redeliver.reporting import messages, outputs
from redeliver.reporting.format import age
from redeliver.reporting.report import Report
from redeliver.reporting.row import Row
from redeliver.reporting.summary import summary
from tests.support.builders import (
    NOW,
    OPTIONS,
    a_decision,
    a_delivery,
    a_scan_result,
    a_webhook,
    a_window,
    ago,
    delivered,
)


def an_outcome(
    outcome: Outcome = Outcome.PENDING,
    *,
    guid: str = "guid-1",
    event: str = "push",
    status: str = "timed out",
    because: str = "",
) -> EventResult:
    delivery = a_delivery(guid, event=event, status=status)
    decision = a_decision(delivery, since=ago(hours=2))
    return EventResult(decision=decision, outcome=outcome, because=because)


def a_report(*results: EventResult, error: UnavailableError | None = None) -> Report:
    return Report(
        store="variable LAST_REDELIVERY of acme/ops",
        window=a_window(),
        options=OPTIONS,
        scans=(a_scan_result(error=error),),
        results=results,
        checkpoint=NOW,
    )


ONE_OF_EACH = tuple(an_outcome(outcome) for outcome in Outcome)


DRY, STRICT = replace(OPTIONS, dry_run=True), replace(OPTIONS, fail_unrecovered=True)


def a_line(result: EventResult, *, dry_run: bool = False, name_webhook: bool = False) -> str:
    return messages.line(Row.of(result, now=NOW, dry_run=dry_run), name_webhook=name_webhook)


def test_without_a_store_there_is_no_checkpoint() -> None:
    kept_nowhere = replace(a_report(), store="", checkpoint=None)

    assert outputs.outputs(kept_nowhere)["checkpoint"] == ""
    assert messages.closing(kept_nowhere).startswith("No checkpoint is kept")
    assert "no checkpoint is kept" in messages.opening("", a_window(None), ScanMode.FULL)


@pytest.mark.parametrize(
    ("scan", "told"),
    [
        (ScanMode.FULL, "Reading all deliveries back to"),
        (ScanMode.FAILURES, "Reading failures back to"),
    ],
)
def test_which_scan_begins_is_told(scan: ScanMode, told: str) -> None:
    assert messages.opening("", a_window(), scan).startswith(told)


def test_a_dry_run_says_so() -> None:
    dry = replace(a_report(an_outcome(Outcome.DUE)), options=DRY)

    assert "dry run, 1 event failed: 1 would be redelivered" in summary(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(replace(dry, checkpoint=None))


@pytest.mark.parametrize(
    ("checkpoint", "told"),
    [
        (NOW, "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run"),
        (ago(minutes=-3), "Checkpoint saved: 2026-11-24 12:03:00 UTC, the start of this run"),
        (ago(hours=1), "Checkpoint saved: 2026-11-24 11:00:00 UTC, the oldest failure not dealt"),
        (ago(hours=6), "Checkpoint stays at 2026-11-24 06:00:00 UTC: the next run looks at all"),
    ],
)
def test_where_the_checkpoint_stands_is_told_as_it_is(checkpoint: datetime, told: str) -> None:
    assert messages.closing(replace(a_report(), checkpoint=checkpoint)).startswith(told)


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ([], "nothing to redeliver"),
        ([Verdict.REDELIVER], "1 event failed"),
        (
            [Verdict.REDELIVER, Verdict.TOO_OLD, Verdict.DELIVERED],
            "2 events failed; failed but delivered since: 1",
        ),
        (
            [Verdict.REDELIVER, Verdict.UNWANTED_EVENT, Verdict.UNWANTED_STATUS],
            (
                "1 event failed; filtered out, not among the 'events' that are wanted: 1; "
                "filtered out, its status code is one of 'skip-status-codes': 1"
            ),
        ),
        (
            [Verdict.DELIVERED],
            "nothing to redeliver; failed but delivered since: 1",
        ),
    ],
)
def test_what_was_found_is_told(decisions: list[Verdict], told: str) -> None:
    scan = a_scan_result(*(a_decision(verdict=verdict) for verdict in decisions))

    read = "Read 230 deliveries of webhook 1 of organization acme"
    assert messages.scanned(scan) == f"{read}: {told}"


def test_a_status_shows_its_code_once() -> None:
    shown = a_line(an_outcome(status="Invalid HTTP Response: 504"))

    assert "last status Invalid HTTP Response: 504)" in shown
    assert "last status none, 504)" in a_line(an_outcome(status=""))
    assert "last status 15042 ms, 504)" in a_line(an_outcome(status="15042 ms"))


def test_an_event_is_named_with_its_action() -> None:
    decision = an_outcome().decision
    opened = replace(decision.delivery, event="issues", action="opened")

    told = a_line(EventResult(decision=replace(decision, delivery=opened), outcome=Outcome.DUE))

    assert told.startswith("Would be redelivered: issues.opened guid-1 (delivery ")


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=12, seconds=3), "12 min"),
        (timedelta(hours=5, minutes=3), "5 h 3 min"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_an_age_is_told_in_its_largest_units(span: timedelta, told: str) -> None:
    assert age(span) == told


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNANSWERED, Outcome.UNREAD])
def test_a_run_fails_over(outcome: Outcome) -> None:
    done = a_report(an_outcome(outcome))

    assert done.status == 1
    problem = messages.problem(done) or ""
    assert problem.startswith(f"of 1 event that failed: 1 {outcome.value}. ")


@pytest.mark.parametrize(
    "outcome",
    [
        outcome
        for outcome in Outcome
        if outcome not in {Outcome.REFUSED, Outcome.UNANSWERED, Outcome.UNREAD}
    ],
)
def test_a_run_does_not_fail_over(outcome: Outcome) -> None:
    assert a_report(an_outcome(outcome)).status == 0


def test_trouble_is_why_a_run_fails() -> None:
    broken = replace(a_report(an_outcome()), trouble=("cannot write", "no time"))

    assert (broken.status, messages.problem(broken)) == (1, "cannot write; no time")


@pytest.mark.parametrize(("number", "status"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 143)])
def test_a_run_that_was_stopped_says_by_what(number: Signals, status: int) -> None:
    stopped = replace(a_report(an_outcome(Outcome.DEFERRED)), interrupted=number)

    assert stopped.status == status
    problem = messages.problem(stopped) or ""
    assert problem.startswith(f"stopped by {number.name}. Nothing is lost")


def test_a_rate_limit_is_a_warning_that_says_until_when() -> None:
    left = an_outcome(Outcome.DEFERRED, because=NOT_REACHED)
    limited = replace(a_report(left), limit="used up until 12:30:00 UTC")

    assert limited.status == 0
    assert messages.warnings(limited) == ["used up until 12:30:00 UTC"]
    assert "> **Warning:** used up until 12&#58;30&#58;00 UTC" in summary(limited)


def test_what_was_given_up_is_a_warning_for_each_reason() -> None:
    old, tired = Verdict.TOO_OLD.value, Verdict.EXHAUSTED.value
    results = [an_outcome(Outcome.GIVEN_UP, because=because) for because in (old, old, tired)]

    first, second = messages.warnings(a_report(*results))

    assert first.startswith(f"2 events given up ({old}): no attempt that was read succeeded")
    assert second.startswith(f"1 event given up ({tired}): ")


def test_what_left_the_log_meanwhile_is_a_warning() -> None:
    (warning,) = messages.warnings(a_report(an_outcome(Outcome.GONE)))

    assert warning.startswith("1 event could not be redelivered, having just left GitHub's log")


def test_what_may_have_left_the_log_unseen_is_a_warning_with_its_time() -> None:
    gap = replace(a_report(), window=a_window(ago(hours=80)))

    (warning,) = messages.warnings(gap)

    assert warning.startswith(
        "deliveries from 2026-11-21 03:50:00 UTC to 2026-11-21 12:00:00 UTC may have left"
    )
    assert warning.split()[2] in summary(gap)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param(ago(minutes=6), "12:10:00", id="too soon after another"),
        pytest.param(ago(hours=6), "12:16:00", id="overtaken by another"),
    ],
)
def test_a_run_that_keeps_still_says_when_to_come_back(written: datetime, told: str) -> None:
    window = a_window(ago(hours=6), written=written)
    soon = replace(a_report(an_outcome(Outcome.UNSETTLED)), window=window)

    assert messages.closing(soon).endswith(f"start a run after 2026-11-24 {told} UTC")
    assert messages.warnings(soon) == [f"1 event left for a later run. {messages.closing(soon)}"]
    assert messages.closing(replace(soon, options=DRY)) == messages.closing(soon)


def test_a_first_run_that_saved_nothing_says_so() -> None:
    nothing = replace(a_report(an_outcome(Outcome.DEFERRED)), checkpoint=None)

    assert messages.closing(nothing) == (
        "No checkpoint was saved: the next run looks back as far as 'lookback' again"
    )


def test_a_run_that_failed_does_not_head_its_summary_as_if_all_were_well() -> None:
    unsaved = replace(a_report(), trouble=("cannot write the variable",))

    assert messages.headline(a_report()) == "nothing to redeliver"
    assert messages.headline(unsaved) == "failed, and found nothing to redeliver"


def test_a_summary_of_a_log_that_broke_off_does_not_claim_to_have_read_it() -> None:
    broken = a_report(error=UnavailableError("GitHub is down"))

    assert (broken.status, messages.problem(broken)) == (1, "GitHub is down")
    assert "Reading stopped: what is older was not read." in summary(broken)


def test_a_log_that_cannot_be_read_at_all_is_no_good_news() -> None:
    unread = a_scan_result(scanned=0, error=UnavailableError("GitHub is down"))

    assert messages.scanned(unread) == (
        "Read nothing of webhook 1 of organization acme, for the reason given at the end"
    )
    assert messages.problem(a_report(error=UnavailableError("GitHub is down"))) == "GitHub is down"
    told = summary(replace(a_report(), scans=(unread,)))
    assert "Read nothing of [webhook 1 of organization acme]" in told


def test_a_log_that_broke_off_is_told() -> None:
    scan = a_scan_result(error=UnavailableError("GitHub is down"))

    assert messages.scanned(scan) == (
        "Read 230 deliveries of webhook 1 of organization acme: nothing to redeliver. "
        "Reading stopped there: GitHub is down"
    )


def test_what_was_accepted_is_told_as_redelivered_until_more_is_known() -> None:
    pending = an_outcome()
    failed = pending.verified(a_delivery(at=NOW, number=9, status_code=503, status="no"))

    assert a_line(pending).startswith("Redelivered: push guid-1 (delivery 4611686018427387905, ")
    assert a_line(failed) == (
        "Still failing: push guid-1 (delivery 9, failing for 2 h 0 min, 4 attempts, "
        "last status no, 503)"
    )
    assert a_line(pending.verified(delivered(number=9))).startswith("Recovered: ")


def test_of_several_webhooks_each_line_names_its_own() -> None:
    result = EventResult(decision=a_decision(webhook=a_webhook(2)), outcome=Outcome.PENDING)

    assert "(webhook 2 of organization acme, delivery " in a_line(result, name_webhook=True)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.DUE, "Would be redelivered"),
        (Outcome.GIVEN_UP, "Would be given up"),
        (Outcome.DEFERRED, "Would be left for the next run"),
        (Outcome.UNREAD, "Not decided"),
    ],
)
def test_a_dry_run_tells_what_would_be(outcome: Outcome, told: str) -> None:
    assert a_line(an_outcome(outcome), dry_run=True).startswith(f"{told}: ")


def test_the_counts_add_up() -> None:
    counts = a_report(*ONE_OF_EACH, *ONE_OF_EACH).counts

    assert counts == {
        "scanned": 230,
        "failed": 22,
        "unclassified": 0,
        "redelivered": 6,
        "recovered": 2,
        "failing": 2,
        "pending": 2,
        "given-up": 2,
        "refused": 4,
        "deferred": 8,
    }
    would_be = 2
    parts = ("redelivered", "given-up", "refused", "deferred")
    assert counts["failed"] == sum(counts[part] for part in parts) + would_be


@pytest.mark.parametrize("outcome", [Outcome.FAILING, Outcome.GIVEN_UP, Outcome.GONE])
def test_a_run_fails_over_what_is_unrecovered_only_if_that_is_wanted(outcome: Outcome) -> None:
    lenient = a_report(an_outcome(outcome), an_outcome(Outcome.RECOVERED))
    strict = replace(lenient, options=STRICT)

    assert (lenient.status, strict.status) == (0, 1)
    assert messages.problem(strict) == (
        f"of 2 events that failed: 1 {outcome.value}, and 'fail-on' is unrecovered"
    )


def test_a_run_of_which_everything_recovered_never_fails() -> None:
    assert replace(a_report(an_outcome(Outcome.RECOVERED)), options=STRICT).status == 0


@pytest.mark.parametrize(
    ("age", "outcome", "leaving"),
    [
        pytest.param(65, Outcome.DEFERRED, 0, id="there is time for another run"),
        pytest.param(67, Outcome.DEFERRED, 1, id="this may have been the last run"),
        pytest.param(67, Outcome.REFUSED, 1, id="the same, and refused"),
        pytest.param(67, Outcome.PENDING, 0, id="it was redelivered"),
    ],
)
def test_what_may_leave_the_log_before_the_next_run_is_told(
    age: int, outcome: Outcome, leaving: int
) -> None:
    result = EventResult(
        decision=a_decision(a_delivery(at=ago(hours=age))), outcome=outcome, because=NOT_REACHED
    )
    after_six_hours = a_report(result)
    strict = replace(after_six_hours, options=STRICT)

    assert after_six_hours.leaving == leaving
    told = "1 event left for the next run may have left GitHub's log by then"
    assert any(warning.startswith(told) for warning in messages.warnings(after_six_hours)) == bool(
        leaving
    )
    assert (told in (messages.problem(strict) or "")) == bool(leaving)
    assert replace(after_six_hours, window=a_window(None)).leaving == 0, "nobody knows when"


def test_what_was_not_seen_fails_a_run_if_that_is_wanted() -> None:
    gap = replace(a_report(), window=a_window(ago(hours=80)))

    assert (gap.status, replace(gap, options=STRICT).status) == (0, 1)


def test_what_was_left_for_the_next_run_for_a_reason_of_its_own_is_a_warning() -> None:
    down = "the receiver seems to be down"
    results = [an_outcome(Outcome.DEFERRED, because=because) for because in (down, down)]
    usual = [Verdict.SURPLUS.value, NOT_REACHED]
    results += [an_outcome(Outcome.DEFERRED, because=because) for because in usual]

    assert messages.warnings(a_report(*results)) == [f"2 events left for the next run: {down}"]


CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "nothing else": {},
    "trouble": {"trouble": ("cannot write",)},
    "a signal": {"interrupted": Signals.SIGTERM},
    "a log that could not be read": {"scans": (a_scan_result(error=UnavailableError("down")),)},
    "a checkpoint older than the log": {"window": a_window(ago(hours=80))},
    "events that may leave the log": {"window": a_window(written=ago(hours=71.5))},
}


@pytest.mark.parametrize("changes", CIRCUMSTANCES.values(), ids=CIRCUMSTANCES)
@pytest.mark.parametrize("options", [OPTIONS, STRICT], ids=["error", "unrecovered"])
@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_is_failed_exactly_if_it_has_a_problem(
    outcome: Outcome, options: RunOptions, changes: dict[str, Any]
) -> None:
    done = replace(a_report(an_outcome(outcome)), options=options, **changes)

    assert done.is_failed == (messages.problem(done) is not None)
