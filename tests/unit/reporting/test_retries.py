"""What a run says about events that are still failing: which are tried again, and until when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import ScanMode
from redeliver.reporting import messages, retries
from redeliver.reporting.report import Report
from tests.support.builders import (
    NOW,
    OPTIONS,
    a_decision,
    a_delivery,
    a_policy,
    a_report,
    a_result,
    ago,
)

UNAVAILABLE = ("Invalid HTTP Response: 503", 503)
TIMED_OUT = ("timed out", 504)
MOVED = ("Invalid HTTP Response: 302", 302)


def still_failing(
    guid: str = "a", *, hours: float = 2, status: tuple[str, int] = UNAVAILABLE, attempts: int = 4
) -> EventResult:
    """Return an event whose redelivery failed; its first attempt was `hours` ago."""
    decision = a_decision(a_delivery(guid), since=ago(hours=hours))
    text, code = status
    redelivery = a_delivery(guid, at=NOW, number=9, status=text, status_code=code)
    pending = EventResult(
        decision=replace(decision, attempts=attempts - 1), outcome=Outcome.PENDING
    )
    return pending.verified(redelivery)


def with_options(
    report: Report, *, policy: dict[str, Any], scan: ScanMode = ScanMode.FULL
) -> Report:
    return replace(report, options=replace(OPTIONS, policy=a_policy(**policy), scan=scan))


def warning(report: Report) -> str:
    """Return the only warning of a report."""
    (text,) = messages.warnings(report)
    return text


def test_a_run_that_recovered_everything_warns_of_nothing() -> None:
    assert messages.warnings(a_report(a_result(Outcome.RECOVERED))) == []


def test_one_event_still_failing_is_a_warning() -> None:
    assert warning(a_report(still_failing())) == (
        "1 event is still failing after the redelivery, with status 503. Later runs try "
        "it again until 2026-11-27 10:00:00 UTC ('give-up-after' is 3d)"
    )


def test_events_still_failing_are_one_warning() -> None:
    """The warning has their number, the most common status, and until when they are tried."""
    slow = still_failing("a", hours=20, status=TIMED_OUT)
    others = [still_failing("b"), still_failing("c")]

    assert warning(a_report(slow, *others, a_result(Outcome.RECOVERED))) == (
        "3 events are still failing after the redelivery, most often with status 503. "
        "Later runs try them again until 2026-11-26 16:00:00 UTC for the oldest, "
        "2026-11-27 10:00:00 UTC for the newest ('give-up-after' is 3d)"
    )


def test_a_status_is_not_called_the_most_common_if_it_is_not() -> None:
    two = a_report(still_failing("a"), still_failing("b", status=TIMED_OUT))

    assert "still failing after the redelivery, some with status 503. " in warning(two)


def test_nothing_is_tried_longer_than_github_keeps_its_log() -> None:
    week = with_options(a_report(still_failing()), policy={"give_up_after": timedelta(days=7)})

    assert warning(week).endswith(
        "again until 2026-11-27 10:00:00 UTC (GitHub keeps its log for 3d)"
    )


def test_without_a_checkpoint_runs_must_follow_within_lookback() -> None:
    kept_nowhere = replace(a_report(still_failing()), store="", checkpoint=None)

    assert warning(kept_nowhere).endswith(
        "('give-up-after' is 3d, and each run must start within 'lookback' of the one before)"
    )


@pytest.mark.parametrize(
    ("status", "policy", "scan", "why"),
    [
        (UNAVAILABLE, {"max_attempts": 4}, ScanMode.FULL, "'max-attempts' (4) is reached"),
        (
            UNAVAILABLE,
            {"skip_status_codes": frozenset({503})},
            ScanMode.FULL,
            "'skip-status-codes' excludes the status",
        ),
        (MOVED, {}, ScanMode.FAILURES, "'scan: failures' does not find the status"),
    ],
    ids=["max-attempts", "skip-status-codes", "scan"],
)
def test_no_message_promises_a_retry_that_will_not_happen(
    status: tuple[str, int], policy: dict[str, Any], scan: ScanMode, why: str
) -> None:
    """Neither the warning nor the closing line says that the next run tries it again."""
    report = with_options(a_report(still_failing(status=status)), policy=policy, scan=scan)

    assert retries.to_retry(report) == []
    assert warning(report).endswith(
        f". With these settings, the next run does not try it again: {why}"
    )
    assert "Later runs try" not in warning(report)
    # The closing line counts only events that are tried again.
    assert "still failing" not in messages.closing(report)


def test_a_warning_counts_what_is_tried_again_and_what_is_not() -> None:
    report = with_options(
        a_report(still_failing("a"), still_failing("b", attempts=2)), policy={"max_attempts": 4}
    )

    assert "Later runs try 1 of them again until 2026-11-27 10:00:00 UTC" in warning(report)
    assert "('give-up-after' is 3d, 'max-attempts' is 4)" in warning(report)
    assert warning(report).endswith(
        "the next run does not try 1 of them again: 'max-attempts' (4) is reached"
    )
