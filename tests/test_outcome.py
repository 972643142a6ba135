from datetime import datetime

import pytest

from redeliver.delivery import Guid
from redeliver.outcome import Fate, Outcome, low_water_mark
from redeliver.plan import Plan, SecondLook, Verdict
from tests.builders import NOW, a_decision, a_delivery, a_window, ago

AN_HOUR_AGO = ago(hours=1)
READ = Plan(scanned=100, decisions=())
IT = frozenset({Guid("guid-1")})
NONE = frozenset[Guid]()


def an_outcome(fate: Fate, *, at: datetime = AN_HOUR_AGO) -> Outcome:
    return Outcome(decision=a_decision(a_delivery(at=at)), fate=fate)


@pytest.mark.parametrize(
    ("outcomes", "mark"),
    [
        pytest.param([], NOW, id="nothing failed"),
        pytest.param([an_outcome(Fate.REDELIVERED)], NOW, id="redelivered"),
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
    assert low_water_mark(a_window(ago(hours=6)), READ, outcomes) == mark


def test_a_clock_behind_the_last_runs_does_not_move_the_checkpoint_back() -> None:
    ahead = ago(seconds=-90)

    assert low_water_mark(a_window(ahead), READ, []) == ahead


def test_a_log_that_broke_off_does_not_move_the_checkpoint() -> None:
    broken = Plan(scanned=100, decisions=(), broken_off="GitHub is down")

    mark = low_water_mark(a_window(ago(hours=6)), broken, [an_outcome(Fate.REDELIVERED)])

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
    ],
)
def test_what_is_to_become_of_each_verdict(verdict: Verdict, fate: Fate) -> None:
    outcome = Outcome.expected(a_decision(verdict=verdict), due=Fate.DEFERRED)

    assert outcome.fate is fate


@pytest.mark.parametrize(
    ("fate", "look", "after"),
    [
        pytest.param(
            Fate.UNANSWERED, SecondLook(attempted=IT, gone=NONE), Fate.REDELIVERED, id="it shows"
        ),
        pytest.param(
            Fate.UNANSWERED, SecondLook(attempted=NONE, gone=NONE), Fate.UNANSWERED, id="nothing"
        ),
        pytest.param(
            Fate.UNANSWERED, SecondLook(attempted=NONE, gone=IT), Fate.UNANSWERED, id="only gone"
        ),
        pytest.param(Fate.REFUSED, SecondLook(attempted=NONE, gone=IT), Fate.GONE, id="gone"),
        pytest.param(
            Fate.REFUSED, SecondLook(attempted=NONE, gone=NONE), Fate.REFUSED, id="still there"
        ),
        pytest.param(
            Fate.REFUSED, SecondLook(attempted=IT, gone=NONE), Fate.REFUSED, id="somebody else's"
        ),
        pytest.param(
            Fate.REDELIVERED, SecondLook(attempted=NONE, gone=IT), Fate.REDELIVERED, id="accepted"
        ),
    ],
)
def test_what_the_second_look_makes_of_an_outcome(
    fate: Fate, look: SecondLook, after: Fate
) -> None:
    assert an_outcome(fate).after(look).fate is after
