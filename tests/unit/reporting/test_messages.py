"""The log, the warnings and the problem say what happened."""

from dataclasses import replace
from datetime import datetime
from signal import Signals

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.outcome import NOT_REACHED, EventResult, Outcome
from redeliver.core.policy import ScanMode
from redeliver.errors import UnavailableError
from redeliver.reporting import messages, outputs
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.summary import summary
from tests.support.builders import (
    DRY_RUN,
    NOW,
    a_decision,
    a_delivery,
    a_report,
    a_result,
    a_scan_result,
    a_webhook,
    a_window,
    ago,
    delivered,
)


def a_line(result: EventResult, *, dry_run: bool = False, name_webhook: bool = False) -> str:
    return messages.line(EventRow.of(result, now=NOW, dry_run=dry_run), name_webhook=name_webhook)


def test_a_run_without_a_store_says_that_it_keeps_nothing() -> None:
    kept_nowhere = replace(a_report(), store="", checkpoint=None)

    assert outputs.outputs(kept_nowhere)["checkpoint"] == ""
    assert messages.closing(kept_nowhere).startswith("No checkpoint is kept")
    assert "no checkpoint is kept" in messages.opening("", a_window(None), ScanMode.FULL)


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        (ScanMode.FULL, "Reading all deliveries back to"),
        (ScanMode.FAILURES, "Reading failures back to"),
    ],
)
def test_the_opening_names_the_scan_mode(scan: ScanMode, expected: str) -> None:
    assert messages.opening("", a_window(), scan).startswith(expected)


def test_a_dry_run_says_so() -> None:
    dry = replace(a_report(a_result(Outcome.DUE)), options=DRY_RUN)

    assert "dry run, 1 event failed: 1 would be redelivered" in summary(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(dry)
    assert "Dry run: nothing was redelivered" in messages.closing(replace(dry, checkpoint=None))


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        (NOW, "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run"),
        (ago(minutes=-3), "Checkpoint saved: 2026-11-24 12:03:00 UTC, the start of this run"),
        (ago(hours=1), "Checkpoint saved: 2026-11-24 11:00:00 UTC, the oldest failure not dealt"),
        (ago(hours=6), "Checkpoint stays at 2026-11-24 06:00:00 UTC: the next run looks at all"),
    ],
)
def test_the_closing_says_where_the_checkpoint_is(checkpoint: datetime, expected: str) -> None:
    assert messages.closing(replace(a_report(), checkpoint=checkpoint)).startswith(expected)


@pytest.mark.parametrize(
    ("decisions", "expected"),
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
def test_a_scan_is_summed_up(decisions: list[Verdict], expected: str) -> None:
    scan = a_scan_result(*(a_decision(verdict=verdict) for verdict in decisions))

    read = "Read 230 deliveries of webhook 1 of organization acme"
    assert messages.scanned(scan) == f"{read}: {expected}"


@pytest.mark.parametrize(("number", "status"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 143)])
def test_a_stopped_run_names_its_signal(number: Signals, status: int) -> None:
    stopped = replace(a_report(a_result(Outcome.DEFERRED)), interrupted=number)

    assert stopped.status == status
    problem = messages.problem(stopped) or ""
    assert problem.startswith(f"stopped by {number.name}. Nothing is lost")


def test_a_rate_limit_is_a_warning_with_its_end() -> None:
    left = a_result(Outcome.DEFERRED, because=NOT_REACHED)
    limited = replace(a_report(left), limit="used up until 12:30:00 UTC")

    assert limited.status == 0
    assert messages.warnings(limited) == ["used up until 12:30:00 UTC"]
    assert "> **Warning:** used up until 12&#58;30&#58;00 UTC" in summary(limited)


def test_given_up_events_are_a_warning_for_each_reason() -> None:
    old, tired = Verdict.TOO_OLD.value, Verdict.EXHAUSTED.value
    results = [a_result(Outcome.GIVEN_UP, because=because) for because in (old, old, tired)]

    first, second = messages.warnings(a_report(*results))

    assert first.startswith(f"2 events given up ({old}): no attempt that was read succeeded")
    assert second.startswith(f"1 event given up ({tired}): ")


def test_events_that_left_the_log_are_a_warning() -> None:
    (warning,) = messages.warnings(a_report(a_result(Outcome.GONE)))

    assert warning.startswith("1 event could not be redelivered, having just left GitHub's log")


def test_deliveries_that_no_run_saw_are_a_warning() -> None:
    gap = replace(a_report(), window=a_window(ago(hours=80)))

    (warning,) = messages.warnings(gap)

    assert warning.startswith(
        "deliveries from 2026-11-21 03:50:00 UTC to 2026-11-21 12:00:00 UTC may have left"
    )
    assert warning.split()[2] in summary(gap)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(ago(minutes=6), "12:10:00", id="too soon after another"),
        pytest.param(ago(hours=6), "12:16:00", id="overtaken by another"),
    ],
)
def test_an_unsettled_run_says_when_to_come_back(written: datetime, expected: str) -> None:
    window = a_window(ago(hours=6), written=written)
    soon = replace(a_report(a_result(Outcome.UNSETTLED)), window=window)

    assert messages.closing(soon).endswith(f"start a run after 2026-11-24 {expected} UTC")
    assert messages.warnings(soon) == [f"1 event left for a later run. {messages.closing(soon)}"]
    assert messages.closing(replace(soon, options=DRY_RUN)) == messages.closing(soon)


def test_a_first_run_that_saved_nothing_says_so() -> None:
    nothing = replace(a_report(a_result(Outcome.DEFERRED)), checkpoint=None)

    assert messages.closing(nothing) == (
        "No checkpoint was saved: the next run looks back as far as 'lookback' again"
    )


def test_a_failed_run_has_no_headline_of_success() -> None:
    unsaved = replace(a_report(), trouble=("cannot write the variable",))

    assert messages.headline(a_report()) == "nothing to redeliver"
    assert messages.headline(unsaved) == "failed, and found nothing to redeliver"


def test_an_unread_log_is_no_success() -> None:
    unread = a_scan_result(scanned=0, error=UnavailableError("GitHub is down"))

    assert messages.scanned(unread) == (
        "Read nothing of webhook 1 of organization acme, for the reason given at the end"
    )
    assert messages.problem(a_report(error=UnavailableError("GitHub is down"))) == "GitHub is down"
    shown = summary(replace(a_report(), scans=(unread,)))
    assert "Read nothing of [webhook 1 of organization acme]" in shown


def test_a_partly_read_log_is_logged() -> None:
    scan = a_scan_result(error=UnavailableError("GitHub is down"))

    assert messages.scanned(scan) == (
        "Read 230 deliveries of webhook 1 of organization acme: nothing to redeliver. "
        "Reading stopped there: GitHub is down"
    )


def test_an_accepted_redelivery_is_logged_as_redelivered() -> None:
    pending = a_result()
    failed = pending.verified(a_delivery(at=NOW, number=9, status_code=503, status="no"))

    assert a_line(pending).startswith("Redelivered: push guid-1 (delivery 4611686018427387905, ")
    assert a_line(failed) == (
        "Still failing: push guid-1 (delivery 9, failing for 2 h 0 min, 4 attempts, "
        "last status no, 503)"
    )
    assert a_line(pending.verified(delivered(number=9))).startswith("Recovered: ")


def test_each_line_names_its_webhook_if_there_are_several() -> None:
    result = EventResult(decision=a_decision(webhook=a_webhook(2)), outcome=Outcome.PENDING)

    assert "(webhook 2 of organization acme, delivery " in a_line(result, name_webhook=True)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.DUE, "Would be redelivered"),
        (Outcome.GIVEN_UP, "Would be given up"),
        (Outcome.DEFERRED, "Would be left for the next run"),
        (Outcome.UNREAD, "Not decided"),
    ],
)
def test_a_dry_run_logs_what_would_be_done(outcome: Outcome, expected: str) -> None:
    assert a_line(a_result(outcome), dry_run=True).startswith(f"{expected}: ")


def test_a_special_reason_to_defer_events_is_a_warning() -> None:
    down = "the receiver seems to be down"
    results = [a_result(Outcome.DEFERRED, because=because) for because in (down, down)]
    usual = [Verdict.SURPLUS.value, NOT_REACHED]
    results += [a_result(Outcome.DEFERRED, because=because) for because in usual]

    assert messages.warnings(a_report(*results)) == [f"2 events left for the next run: {down}"]
