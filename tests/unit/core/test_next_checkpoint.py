"""The next checkpoint follows from the outcome of each event."""

from datetime import datetime

import pytest

from redeliver.core.checkpoint import slot_end
from redeliver.core.next_checkpoint import next_checkpoint, unknown_slots
from redeliver.core.outcome import EventResult, Outcome
from tests.support.builders import NOW, a_decision, a_delivery, a_window, ago

AN_HOUR_AGO = ago(hours=1)


def an_outcome(outcome: Outcome, *, at: datetime = AN_HOUR_AGO) -> EventResult:
    return EventResult(decision=a_decision(a_delivery(at=at)), outcome=outcome)


@pytest.mark.parametrize(
    ("results", "mark"),
    [
        pytest.param([], NOW, id="nothing failed"),
        pytest.param([an_outcome(Outcome.RECOVERED)], NOW, id="recovered"),
        pytest.param([an_outcome(Outcome.STILL_FAILING)], NOW, id="failed again after the start"),
        pytest.param([an_outcome(Outcome.FILTERED)], NOW, id="filtered out"),
        pytest.param([an_outcome(Outcome.DELIVERED)], NOW, id="delivered by another attempt"),
        pytest.param([an_outcome(Outcome.GIVEN_UP)], NOW, id="given up"),
        pytest.param([an_outcome(Outcome.PENDING)], ago(hours=1), id="not shown by the log"),
        pytest.param([an_outcome(Outcome.REFUSED)], ago(hours=1), id="refused"),
        pytest.param([an_outcome(Outcome.UNANSWERED)], ago(hours=1), id="unanswered"),
        pytest.param([an_outcome(Outcome.UNREAD)], ago(hours=1), id="not decided"),
        pytest.param([an_outcome(Outcome.DEFERRED)], ago(hours=1), id="deferred"),
        pytest.param([an_outcome(Outcome.UNSETTLED)], ago(hours=1), id="unsettled"),
        pytest.param(
            [
                an_outcome(Outcome.RECOVERED, at=ago(hours=5)),
                an_outcome(Outcome.REFUSED, at=ago(hours=3)),
                an_outcome(Outcome.DEFERRED, at=ago(hours=2)),
            ],
            ago(hours=3),
            id="the oldest of several",
        ),
        pytest.param(
            [an_outcome(Outcome.REFUSED, at=ago(hours=6, minutes=9))],
            ago(hours=6),
            id="in the overlap, so it never moves back",
        ),
    ],
)
def test_the_checkpoint_stops_at_the_oldest_open_failure(
    results: list[EventResult], mark: datetime
) -> None:
    assert next_checkpoint(a_window(ago(hours=6)), results, is_complete=True, holds=()) == mark


def test_an_earlier_clock_does_not_move_the_checkpoint_back() -> None:
    ahead = ago(seconds=-90)

    assert next_checkpoint(a_window(ahead), [], is_complete=True, holds=()) == ahead


def test_a_partly_read_log_does_not_move_the_checkpoint() -> None:
    results = [an_outcome(Outcome.RECOVERED)]

    assert next_checkpoint(a_window(ago(hours=6)), results, is_complete=False, holds=()) == ago(
        hours=6
    )


def unknown(*, failed: datetime, requested: datetime) -> EventResult:
    """Return the result of a redelivery whose outcome is unknown."""
    decision = a_decision(a_delivery(at=failed))
    return EventResult.requested(decision, requested)


OLD, NEW, OWN = (slot_end(ago(minutes=minutes)) for minutes in (19, 9, 0))
UNKNOWN = {
    "nothing is unknown": ([], [], ()),
    "earlier runs left something unknown": ([], [OLD, NEW], (OLD, NEW)),
    "what earlier runs left is settled": ([], [slot_end(ago(minutes=40))], ()),
    "this run left something unknown that failed after all others": (
        [unknown(failed=ago(minutes=2), requested=NOW)],
        [OLD, NEW],
        (OLD, NEW, OWN),
    ),
    "this run redelivered what had failed before a slot of earlier runs": (
        [unknown(failed=ago(minutes=20), requested=NOW)],
        [OLD, NEW],
        (OLD, OWN),
    ),
    "this run redelivered an old event and a new one in the same second": (
        [
            unknown(failed=ago(minutes=20), requested=NOW),
            unknown(failed=ago(minutes=2), requested=NOW),
        ],
        [OLD, NEW],
        (OLD, OWN),
    ),
    "this run took long, so that it requested an event after the first slot": (
        [
            unknown(failed=ago(minutes=16), requested=ago(minutes=14)),
            unknown(failed=ago(minutes=15), requested=NOW),
        ],
        [],
        (OWN,),
    ),
    "this run redelivered what had failed before all slots of earlier runs": (
        [unknown(failed=ago(hours=1), requested=NOW)],
        [OLD, NEW],
        (OWN,),
    ),
    "this run requested it so long ago that the log shows it": (
        [unknown(failed=ago(hours=1), requested=ago(minutes=16))],
        [],
        (),
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_the_checkpoint_says_since_when_outcomes_are_unknown(case: str) -> None:
    results, earlier, expected = UNKNOWN[case]

    assert unknown_slots(results, earlier, now=NOW) == expected


def test_a_slot_is_settled_after_16_minutes() -> None:
    end = ago(minutes=16)

    assert unknown_slots([], [end], now=ago(seconds=1)) == (end,)
    assert unknown_slots([], [end], now=NOW) == ()


def test_an_old_slot_is_kept_for_20_minutes_beside_a_newer_one() -> None:
    old, newer = ago(minutes=20), ago(minutes=5)

    assert unknown_slots([], [old, newer], now=ago(seconds=1)) == (old, newer)
    assert unknown_slots([], [old, newer], now=NOW) == (newer,)
