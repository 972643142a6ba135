from datetime import datetime

import pytest

from redeliver.outcome import Fate, Outcome, low_water_mark
from tests.builders import NOW, a_decision, a_delivery, a_window, ago

AN_HOUR_AGO = ago(hours=1)


def an_outcome(fate: Fate, *, at: datetime = AN_HOUR_AGO) -> Outcome:
    return Outcome(decision=a_decision(a_delivery(at=at)), fate=fate)


@pytest.mark.parametrize(
    ("outcomes", "mark"),
    [
        pytest.param([], NOW, id="nothing failed"),
        pytest.param([an_outcome(Fate.REDELIVERED)], NOW, id="redelivered"),
        pytest.param([an_outcome(Fate.DELIVERED)], NOW, id="delivered meanwhile"),
        pytest.param([an_outcome(Fate.GIVEN_UP)], NOW, id="given up"),
        pytest.param([an_outcome(Fate.REFUSED)], ago(hours=1), id="refused"),
        pytest.param([an_outcome(Fate.DEFERRED)], ago(hours=1), id="deferred"),
        pytest.param([an_outcome(Fate.UNSETTLED)], ago(hours=1), id="unsettled"),
        pytest.param(
            [
                an_outcome(Fate.REDELIVERED, at=ago(hours=5)),
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
    assert low_water_mark(a_window(ago(hours=6)), outcomes) == mark


def test_a_clock_behind_the_last_runs_does_not_move_the_checkpoint_back() -> None:
    ahead = ago(seconds=-90)

    assert low_water_mark(a_window(ahead), []) == ahead
