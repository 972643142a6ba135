"""GitHub's response decides an event's outcome until the log is read, and can stop requests."""

import pytest

from redeliver.core.outcome import Outcome
from redeliver.errors import AccessError, RateLimitError, RefusalError, UnavailableError
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.builders import THREE_FAILURES, a_delivery, a_policy, ago
from tests.support.fakes import FakeHook, FakeRuntime, FakeStore, LossyHook, outcomes, run_once


def test_a_refusal_holds_the_checkpoint_and_stops_nothing() -> None:
    refusal = RefusalError("GitHub responded 422")
    hook, store = FakeHook(*THREE_FAILURES, errors={"second": refusal}), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second", "third"]
    assert outcomes(report)["second"] is Outcome.REFUSED
    assert store.written[-1] == ago(hours=2)
    assert (messages.problem(report) or "").startswith(
        "GitHub refused to redeliver 1 of 3 failed events. "
    )


def reasons(report: Report) -> dict[str, str]:
    """Return the reason for the outcome of each event, by its GUID."""
    return {result.decision.delivery.guid: result.because for result in report.results}


def test_five_lost_responses_in_a_row_stop_their_webhook() -> None:
    log = [a_delivery(f"{n}", at=ago(hours=1, minutes=n), number=n + 2) for n in range(7)]
    hook = LossyHook(*log, loses={row.guid for row in log}, shows=True)

    report = run_once(hook)

    assert hook.requested == ["6", "5", "4", "3", "2"]
    assert outcomes(report)["2"] is Outcome.STILL_FAILING, "as the log shows afterwards"
    assert outcomes(report)["1"] is outcomes(report)["0"] is Outcome.DEFERRED
    assert messages.problem(report) == (
        "GitHub sent no usable response to 5 requests in a row to redeliver to webhook 1 of "
        "organization acme, so this run requested no more of them"
    )
    assert report.status == 1


@pytest.mark.parametrize("error", [AccessError("no right"), RateLimitError("used up")])
def test_an_error_that_every_request_would_meet_stops_dispatch(error: Exception) -> None:
    hook, store = FakeHook(*THREE_FAILURES, errors={"second": error}), FakeStore()

    report = run_once(hook, store)

    assert hook.requested == ["first", "second"]
    assert outcomes(report) == {
        "first": Outcome.PENDING,
        "second": Outcome.DEFERRED,
        "third": Outcome.DEFERRED,
    }
    assert store.written[-1] == ago(hours=2)
    assert {*report.trouble, report.limit} - {""} == {str(error)}


def test_a_rate_limit_that_is_too_long_is_a_warning() -> None:
    limit = RateLimitError("used up until 12:30:00 UTC")

    report = run_once(FakeHook(*THREE_FAILURES, errors={"second": limit}))

    assert report.status == 0
    assert messages.warnings(report) == [str(limit)]
    assert reasons(report)["second"] == "GitHub is rate limiting requests"


def test_a_github_that_never_responds_gets_five_requests() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=1, seconds=n)) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable response") for row in log}
    hook = FakeHook(*log, errors=lost)

    report = run_once(hook)

    assert len(hook.requested) == 5
    assert (report.count(Outcome.UNANSWERED), report.count(Outcome.DEFERRED)) == (5, 15)
    assert report.status == 1


def test_a_webhook_without_responses_does_not_stop_the_others() -> None:
    log = [a_delivery(f"event-{n}", at=ago(hours=5, seconds=n), number=n) for n in range(20)]
    lost = {str(row.guid): UnavailableError("no usable response") for row in log}
    silent, healthy = FakeHook(*log, number=1, errors=lost), FakeHook(*THREE_FAILURES, number=2)

    run_once(silent, None, healthy)

    assert (len(silent.requested), healthy.requested) == (5, ["first", "second", "third"])


def test_a_missing_permission_stops_only_its_webhook() -> None:
    one = FakeHook(*THREE_FAILURES, number=1, errors={"first": AccessError("no right")})
    two = FakeHook(*THREE_FAILURES, number=2)

    report = run_once(one, None, two)

    assert (one.requested, two.requested) == (["first"], ["first", "second", "third"])
    assert messages.problem(report) == "no right"
    denied, *others = [r.because for r in report.results if r.decision.webhook == one.webhook]
    assert denied == "GitHub denied the request; the error at the end says why"
    assert others == ["this run requested no more redeliveries to this webhook"] * 2


def test_progress_counts_the_events_that_replace_refused_ones() -> None:
    runtime = FakeRuntime()
    refusals = {guid: RefusalError("GitHub responded 422") for guid in ("first", "second")}

    run_once(
        FakeHook(*THREE_FAILURES, errors=refusals),
        runtime=runtime,
        policy=a_policy(max_redeliveries=1),
    )

    redelivering = [shown[1:] for shown in runtime.shown if shown[0] == "Redeliveries requested:"]
    assert redelivering == [(1, 1), (2, 2), (3, 3)]
