"""Each verdict has an outcome, and the log decides the outcome of a redelivery."""

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.health import HealthVerdict
from redeliver.core.outcome import EventResult, Outcome, Results
from tests.support.builders import (
    FOUR_ATTEMPTS,
    NOW,
    a_decision,
    a_delivery,
    a_scan_result,
    a_webhook,
    ago,
    delivered,
    failed,
    health_of,
)


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.REDELIVER, Outcome.DEFERRED),
        (Verdict.DELIVERED, Outcome.DELIVERED),
        (Verdict.EXPIRED, Outcome.GIVEN_UP),
        (Verdict.TOO_OLD, Outcome.GIVEN_UP),
        (Verdict.EXHAUSTED, Outcome.GIVEN_UP),
        (Verdict.UNREAD, Outcome.UNREAD),
        (Verdict.LAST_UNDER_WAY, Outcome.DEFERRED),
        (Verdict.SWITCHED_OFF, Outcome.DEFERRED),
        (Verdict.UNSETTLED, Outcome.UNSETTLED),
        (Verdict.UNWANTED_EVENT, Outcome.FILTERED),
        (Verdict.UNWANTED_REPOSITORY, Outcome.FILTERED),
        (Verdict.UNWANTED_STATUS, Outcome.FILTERED),
        (Verdict.SURPLUS, Outcome.DEFERRED),
    ],
)
def test_each_verdict_has_its_outcome(verdict: Verdict, outcome: Outcome) -> None:
    result = EventResult.before_requests(
        a_decision(verdict=verdict), FOUR_ATTEMPTS, due=Outcome.DEFERRED
    )

    assert result.outcome is outcome


def test_every_verdict_has_an_outcome() -> None:
    for verdict in Verdict:
        EventResult.before_requests(a_decision(verdict=verdict), FOUR_ATTEMPTS, due=Outcome.DUE)


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.UNANSWERED])
@pytest.mark.parametrize(
    ("redelivery", "after"),
    [
        pytest.param(delivered(redelivery=True), Outcome.RECOVERED, id="succeeded"),
        pytest.param(
            a_delivery(redelivery=True, status_code=500), Outcome.STILL_FAILING, id="failed"
        ),
    ],
)
def test_the_log_decides_the_outcome_of_a_redelivery(
    outcome: Outcome, redelivery: Delivery, after: Outcome
) -> None:
    result = EventResult(decision=a_decision(), outcome=outcome).verified(redelivery)

    assert (result.outcome, result.latest, result.attempts) == (after, redelivery, 4)
    assert bool(result.because) == (outcome is Outcome.UNANSWERED), "only that needs a reason"


def test_an_interrupted_run_says_how_far_each_redelivery_came() -> None:
    waiting = EventResult.not_yet_requested(a_decision())
    requested = EventResult.requested(a_decision(), NOW)

    assert waiting.because == "this run requested no more redeliveries to this webhook"
    assert EventResult.not_yet_requested(a_decision(), Outcome.DUE).because == ""
    assert requested.because == (
        "GitHub did not confirm the request (the run was stopped before GitHub responded), and may "
        "have accepted it"
    )
    assert requested.unanswered("502").because == (
        "GitHub did not confirm the request (502), and may have accepted it"
    )
    assert requested.accepted().because == (
        "the run was stopped before GitHub's log showed the outcome"
    )
    assert requested.verified(delivered(redelivery=True)).because == (
        "GitHub sent no usable response to the request, but its log shows the redelivery"
    )


@pytest.mark.parametrize(
    ("verdict", "outcome", "is_due", "is_open", "is_gone"),
    [
        (Verdict.REDELIVER, Outcome.DEFERRED, True, True, False),
        (Verdict.REDELIVER, Outcome.DUE, True, True, False),
        (Verdict.REDELIVER, Outcome.PENDING, False, False, False),
        (Verdict.REDELIVER, Outcome.GIVEN_UP, False, False, True),
        (Verdict.SURPLUS, Outcome.DEFERRED, False, True, False),
        (Verdict.SURPLUS, Outcome.PENDING, False, False, False),
        (Verdict.SWITCHED_OFF, Outcome.DEFERRED, False, False, False),
        (Verdict.TOO_OLD, Outcome.GIVEN_UP, False, False, False),
    ],
)
def test_an_event_may_still_be_requested(
    verdict: Verdict, outcome: Outcome, *, is_due: bool, is_open: bool, is_gone: bool
) -> None:
    result = EventResult(decision=a_decision(verdict=verdict), outcome=outcome)

    assert (result.is_due, result.is_open, result.is_gone) == (is_due, is_open, is_gone)


def test_a_receiver_that_has_just_accepted_an_event_is_not_down() -> None:
    health = health_of(*(failed(hours=n) for n in range(1, 6)))
    one, two = (a_scan_result(webhook=a_webhook(number), health=health) for number in (1, 2))
    results = Results()
    for number, seconds in enumerate((9, 3, 6)):
        decision = a_decision(a_delivery(f"event-{number}"), webhook=one.webhook)
        success = delivered(at=ago(seconds=seconds), redelivery=True)
        results[decision.key] = EventResult.requested(decision, NOW).verified(success)
    failure = a_decision(webhook=two.webhook)
    results[failure.key] = EventResult.requested(failure, NOW).verified(a_delivery(redelivery=True))

    after = results.after(one).health

    assert health.verdict is HealthVerdict.DOWN
    assert after is not None
    assert (after.verdict, after.last_success) == (HealthVerdict.FAILING, ago(seconds=3))
    assert results.after(two) == two
    assert results.due(one.webhook) == results.due(two.webhook) == []
