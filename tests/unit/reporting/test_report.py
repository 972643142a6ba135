"""A report counts events, and decides whether the run failed."""

from dataclasses import replace
from datetime import timedelta
from signal import Signals
from typing import Any

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.outcome import NOT_REACHED, EventResult, Outcome
from redeliver.core.policy import RunOptions
from redeliver.core.window import Window
from redeliver.errors import UnavailableError
from redeliver.reporting import messages
from redeliver.reporting.format import utc
from tests.support.builders import (
    NOW,
    ONE_RESULT_OF_EACH,
    OPTIONS,
    STRICT,
    WEBHOOK,
    a_decision,
    a_delivery,
    a_policy,
    a_report,
    a_result,
    a_scan_result,
    a_webhook,
    a_window,
    ago,
)

FATAL = {
    Outcome.REFUSED: "GitHub refused to redeliver",
    Outcome.UNANSWERED: "GitHub did not confirm the redelivery of",
    Outcome.UNREAD: "GitHub's log could not be read back to the first attempt of",
}


@pytest.mark.parametrize("outcome", FATAL)
def test_a_run_fails_for(outcome: Outcome) -> None:
    done = a_report(a_result(outcome))

    assert done.status == 1
    assert messages.problem(done) == (
        f"{FATAL[outcome]} 1 of 1 failed events. "
        "The log of this run has the reason; the next run tries again"
    )


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome not in FATAL])
def test_a_run_does_not_fail_for(outcome: Outcome) -> None:
    assert a_report(a_result(outcome)).status == 0


def test_trouble_makes_a_run_fail() -> None:
    broken = replace(a_report(a_result()), trouble=("cannot write", "no time"))

    assert (broken.status, messages.problem(broken)) == (1, "cannot write. Also, no time")


def test_the_counts_add_up() -> None:
    counts = a_report(*ONE_RESULT_OF_EACH, *ONE_RESULT_OF_EACH).counts

    assert counts == {
        "scanned": 230,
        "failed-deliveries": 46,
        "already-delivered": 2,
        "failed": 22,
        "unreadable": 0,
        "requested": 6,
        "recovered": 2,
        "still-failing": 2,
        "pending": 2,
        "given-up": 2,
        "refused": 2,
        "deferred": 10,
        "due": 2,
    }
    parts = ("requested", "given-up", "refused", "deferred", "due")
    assert counts["failed"] == sum(counts[part] for part in parts)


def test_the_counts_of_all_webhooks_are_the_sum_of_each() -> None:
    hooks = [a_webhook(number) for number in (1, 2, 3)]
    results = [
        replace(result, decision=replace(result.decision, webhook=hook))
        for hook in hooks[:2]
        for result in ONE_RESULT_OF_EACH[: 8 + (hook.id or 0)]
    ]
    scans = [
        a_scan_result(webhook=hook, scanned=10, failed_deliveries=hook.id or 0) for hook in hooks
    ]
    report = replace(a_report(*results), scans=tuple(scans))

    one, two, three = report.counts_by_webhook.values()

    assert list(report.counts_by_webhook) == hooks
    assert (one["failed-deliveries"], two["failed-deliveries"]) == (1, 2)
    assert (one["failed"], two["failed"], three["failed"]) == (9, 10, 0)
    assert report.counts == {name: one[name] + two[name] + three[name] for name in report.counts}


@pytest.mark.parametrize(
    ("outcome", "verb"), [(Outcome.STILL_FAILING, "is"), (Outcome.GIVEN_UP, "was")]
)
def test_unrecovered_events_fail_only_a_strict_run(outcome: Outcome, verb: str) -> None:
    lenient = a_report(a_result(outcome), a_result(Outcome.RECOVERED))
    strict = replace(lenient, options=STRICT)

    assert (lenient.status, strict.status) == (0, 1)
    assert messages.problem(strict) == (
        f"the run fails because 'fail-on' is 'unrecovered': 1 of 2 failed events {verb} "
        f"{outcome.value}"
    )


def test_a_run_that_recovered_everything_never_fails() -> None:
    assert replace(a_report(a_result(Outcome.RECOVERED)), options=STRICT).status == 0


@pytest.mark.parametrize(
    ("age", "outcome", "name", "leaving"),
    [
        pytest.param(62, Outcome.DEFERRED, "deferred", 0, id="there is time for another run"),
        pytest.param(64, Outcome.DEFERRED, "deferred", 1, id="this may have been the last run"),
        pytest.param(64, Outcome.REFUSED, "refused", 1, id="the same, and refused"),
        pytest.param(64, Outcome.PENDING, "pending", 1, id="the same, and pending"),
        pytest.param(64, Outcome.RECOVERED, "recovered", 0, id="it has recovered"),
    ],
)
def test_events_that_may_leave_the_log_are_counted(
    age: int, outcome: Outcome, name: str, leaving: int
) -> None:
    result = EventResult(
        decision=a_decision(a_delivery(at=ago(hours=1)), since=ago(hours=age)),
        outcome=outcome,
        because=NOT_REACHED,
    )
    report = a_report(result)
    strict = replace(report, options=STRICT)

    assert len(report.leaving) == leaving
    expected = f"1 {name} event may leave GitHub's log if the next run comes 9 h 0 min after"
    warned = [warning.startswith(expected) for warning in messages.warnings(report)]
    assert any(warned) == bool(leaving)
    assert (expected in (messages.problem(strict) or "")) == bool(leaving)


@pytest.mark.parametrize(
    "window",
    [a_window(None), a_window(written=ago(days=400))],
    ids=["a first run", "after a pause"],
)
@pytest.mark.parametrize(("age", "leaving"), [(62, False), (64, True)])
def test_the_next_run_is_expected_in_nine_hours(window: Window, age: int, *, leaving: bool) -> None:
    """Nothing else is known about the time between runs."""
    decision = a_decision(since=ago(hours=age))
    report = a_report(EventResult(decision=decision, outcome=Outcome.DEFERRED))

    warnings = messages.warnings(replace(report, window=window))

    expected = (
        "1 deferred event may leave GitHub's log if the next run comes 9 h 0 min after this "
        f"one. Start a run before {utc(ago(hours=age - 72))}. This is: push guid-1"
    )
    assert (expected in warnings) == leaving


def test_an_event_leaves_sooner_with_give_up_after() -> None:
    decision = a_decision(since=ago(hours=31))
    options = replace(OPTIONS, policy=a_policy(give_up_after=timedelta(hours=36)))
    report = replace(
        a_report(EventResult(decision=decision, outcome=Outcome.DEFERRED)), options=options
    )

    assert (
        "1 deferred event may leave GitHub's log, or be older than 'give-up-after' (36h), if the "
        "next run comes 9 h 0 min after this one (this one came 6 h 0 min after the last). "
        f"Start a run before {utc(ago(hours=-5))}. This is: push guid-1"
    ) in messages.warnings(report)


@pytest.mark.parametrize(
    ("outcome", "is_failed"),
    [
        (Outcome.PENDING, True),
        (Outcome.DEFERRED, True),
        (Outcome.RECOVERED, False),
        (Outcome.DUE, False),
    ],
)
def test_a_failed_redelivery_counts_until_a_success_is_shown(
    outcome: Outcome, *, is_failed: bool
) -> None:
    found = EventResult(decision=a_decision(a_delivery(redelivery=True)), outcome=outcome)
    strict = replace(a_report(found), options=STRICT)

    assert strict.is_failed == is_failed
    assert (
        "1 of 1 failed events had already failed a redelivery before this run, and GitHub's log "
        "shows no success yet" in (messages.problem(strict) or "")
    ) == is_failed


def test_unseen_deliveries_fail_only_a_strict_run() -> None:
    gap = replace(a_report(), window=a_window(ago(hours=80)))

    assert (gap.status, replace(gap, options=STRICT).status) == (0, 1)


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
    done = replace(a_report(a_result(outcome)), options=options, **changes)

    assert done.is_failed == (messages.problem(done) is not None)


def test_only_some_of_many_events_that_may_leave_are_named() -> None:
    decisions = [
        a_decision(a_delivery(f"guid-{n}"), since=ago(hours=70), verdict=Verdict.SWITCHED_OFF)
        for n in range(7)
    ]
    report = a_report(*(EventResult(decision=d, outcome=Outcome.DEFERRED) for d in decisions))

    (warning,) = (text for text in messages.warnings(report) if "may leave" in text)

    assert warning.endswith(
        f"Switch on {WEBHOOK.name}, and start a run before {utc(ago(hours=-2))}. These are: "
        "push guid-0, push guid-1, push guid-2, push guid-3, push guid-4, and 2 more, which the "
        "summary and the log name"
    )


def test_webhooks_that_are_off_must_be_switched_on() -> None:
    decisions = [
        a_decision(webhook=a_webhook(number), since=ago(hours=70), verdict=Verdict.SWITCHED_OFF)
        for number in (1, 2)
    ]
    report = a_report(*(EventResult(decision=d, outcome=Outcome.DEFERRED) for d in decisions))

    (warning,) = (text for text in messages.warnings(report) if "may leave" in text)

    assert "Switch on the webhooks that are off, and start a run before" in warning


@pytest.mark.parametrize(("seconds", "status"), [(-1, 1), (1, 0)])
def test_a_strict_run_fails_three_days_before_a_token_ends(seconds: int, status: int) -> None:
    end = NOW + timedelta(days=3, seconds=seconds)

    report = replace(a_report(), options=STRICT, token_expirations={"token": end})

    assert report.status == status
