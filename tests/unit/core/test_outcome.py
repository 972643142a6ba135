"""Each verdict has an outcome, and the log decides the outcome of a redelivery."""

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.outcome import EventResult, Outcome
from tests.support.builders import FOUR_ATTEMPTS, a_decision, a_delivery, delivered


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
