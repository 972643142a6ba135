"""Where the checkpoint may go, by what became of each event."""

from datetime import datetime

import pytest

from redeliver.delivery import Delivery
from redeliver.errors import UnavailableError
from redeliver.outcome import Fate, Outcome, low_water_mark
from redeliver.plan import Plan, Verdict
from tests.builders import NOW, a_decision, a_delivery, a_reading, a_window, ago, delivered

AN_HOUR_AGO = ago(hours=1)
READ = Plan(readings=(a_reading(),), decisions=())


def an_outcome(fate: Fate, *, at: datetime = AN_HOUR_AGO) -> Outcome:
    return Outcome(decision=a_decision(a_delivery(at=at)), fate=fate)


@pytest.mark.parametrize(
    ("outcomes", "mark"),
    [
        pytest.param([], NOW, id="nothing failed"),
        pytest.param([an_outcome(Fate.PENDING)], NOW, id="redelivered"),
        pytest.param([an_outcome(Fate.RECOVERED)], NOW, id="recovered"),
        pytest.param([an_outcome(Fate.FAILING)], NOW, id="failed anew, which is the next run's"),
        pytest.param([an_outcome(Fate.FILTERED)], NOW, id="filtered out"),
        pytest.param([an_outcome(Fate.DELIVERED)], NOW, id="delivered meanwhile"),
        pytest.param([an_outcome(Fate.GIVEN_UP)], NOW, id="given up"),
        pytest.param([an_outcome(Fate.GONE)], NOW, id="refused for good"),
        pytest.param([an_outcome(Fate.REFUSED)], ago(hours=1), id="refused"),
        pytest.param([an_outcome(Fate.UNANSWERED)], ago(hours=1), id="unanswered"),
        pytest.param([an_outcome(Fate.UNREAD)], ago(hours=1), id="not decided"),
        pytest.param([an_outcome(Fate.DEFERRED)], ago(hours=1), id="deferred"),
        pytest.param([an_outcome(Fate.UNSETTLED)], ago(hours=1), id="unsettled"),
        pytest.param(
            [
                an_outcome(Fate.PENDING, at=ago(hours=5)),
                an_outcome(Fate.REFUSED, at=ago(hours=3)),
                an_outcome(Fate.DEFERRED, at=ago(hours=2)),
            ],
            ago(hours=3),
            id="the oldest of several",
        ),
        pytest.param(
            [an_outcome(Fate.REFUSED, at=ago(hours=6, minutes=9))],
            ago(hours=6),
            id="in the overlap, so it never moves back",
        ),
    ],
)
def test_the_checkpoint_stops_at_the_oldest_failure_not_dealt_with(
    outcomes: list[Outcome], mark: datetime
) -> None:
    assert low_water_mark(a_window(ago(hours=6)), READ, outcomes) == mark


def test_a_clock_behind_the_last_runs_does_not_move_the_checkpoint_back() -> None:
    ahead = ago(seconds=-90)

    assert low_water_mark(a_window(ahead), READ, []) == ahead


def test_a_log_that_broke_off_does_not_move_the_checkpoint() -> None:
    broken_off = a_reading(error=UnavailableError("GitHub is down"))
    broken = Plan(readings=(a_reading(), broken_off), decisions=())

    mark = low_water_mark(a_window(ago(hours=6)), broken, [an_outcome(Fate.PENDING)])

    assert mark == ago(hours=6)


@pytest.mark.parametrize(
    ("verdict", "fate"),
    [
        (Verdict.REDELIVER, Fate.DEFERRED),
        (Verdict.DELIVERED, Fate.DELIVERED),
        (Verdict.TOO_OLD, Fate.GIVEN_UP),
        (Verdict.EXHAUSTED, Fate.GIVEN_UP),
        (Verdict.UNREAD, Fate.UNREAD),
        (Verdict.UNSETTLED, Fate.UNSETTLED),
        (Verdict.HELD, Fate.UNSETTLED),
        (Verdict.UNWANTED_EVENT, Fate.FILTERED),
        (Verdict.UNWANTED_STATUS, Fate.FILTERED),
        (Verdict.SURPLUS, Fate.DEFERRED),
    ],
)
def test_what_is_to_become_of_each_verdict(verdict: Verdict, fate: Fate) -> None:
    outcome = Outcome.expected(a_decision(verdict=verdict), due=Fate.DEFERRED)

    assert outcome.fate is fate


def test_each_verdict_has_a_fate() -> None:
    for verdict in Verdict:
        Outcome.expected(a_decision(verdict=verdict), due=Fate.DUE)


@pytest.mark.parametrize("fate", [Fate.PENDING, Fate.UNANSWERED])
@pytest.mark.parametrize(
    ("redelivery", "after"),
    [
        pytest.param(delivered(redelivery=True), Fate.RECOVERED, id="taken"),
        pytest.param(a_delivery(redelivery=True, status_code=500), Fate.FAILING, id="failed"),
    ],
)
def test_what_the_log_shows_decides_what_became_of_it(
    fate: Fate, redelivery: Delivery, after: Fate
) -> None:
    shown = an_outcome(fate).shown(redelivery)

    assert (shown.fate, shown.latest, shown.attempts) == (after, redelivery, 4)
    assert bool(shown.because) == (fate is Fate.UNANSWERED), "only that needs to be explained"
