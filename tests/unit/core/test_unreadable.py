"""Rows that cannot be read count for what can be read of them."""

from datetime import datetime

import pytest

from redeliver.core.decision import Verdict, decide
from redeliver.core.delivery import Guid
from redeliver.core.unreadable import UnreadableRow, held_times
from tests.support.builders import a_policy, a_window, ago, failed, failed_again

OWN = Guid("guid-1")
"""The event that is decided about."""

ATTEMPT = failed(hours=1)


def odd(
    at: datetime | None = None,
    *,
    until: datetime | None = None,
    number: int = 1,
    guid: Guid | None = None,
    succeeded: bool = False,
    may_be_original: bool = True,
) -> UnreadableRow:
    """Return an odd row, from then or from the time between."""
    at = at or ago(hours=3)
    return UnreadableRow(
        problem="odd",
        id=str(number),
        guid=guid,
        succeeded=succeeded,
        may_be_original=may_be_original,
        earliest=at,
        latest=until or at,
    )


ATTEMPTS = {
    "one of the event": ([odd(guid=OWN)], Verdict.EXHAUSTED),
    "the same one twice": ([odd(guid=OWN), odd(guid=OWN)], Verdict.EXHAUSTED),
    "one of any event": ([odd()], Verdict.REDELIVER),
    "one that is also listed as readable": ([odd(guid=OWN, number=ATTEMPT.id)], Verdict.REDELIVER),
    "none": ([], Verdict.REDELIVER),
}


@pytest.mark.parametrize("case", ATTEMPTS)
def test_an_odd_row_of_an_event_is_one_of_its_attempts(case: str) -> None:
    """The event may have two attempts, and one can be read."""
    rows, verdict = ATTEMPTS[case]

    found = decide([ATTEMPT], a_window(), a_policy(max_attempts=2), unreadable=rows)

    assert found is verdict


def test_the_same_odd_row_is_one_attempt() -> None:
    for rows, verdict in (
        ([odd(guid=OWN)] * 2, Verdict.REDELIVER),
        ([odd(guid=OWN), odd(guid=OWN, number=2)], Verdict.EXHAUSTED),
    ):
        policy = a_policy(max_attempts=3)
        assert decide([ATTEMPT], a_window(), policy, unreadable=rows) is verdict


FIRST = {
    "no odd row": (failed_again(hours=2), [], Verdict.EXPIRED),
    "an odd row before it": (failed_again(hours=2), [odd()], Verdict.REDELIVER),
    "an odd row at the same time": (
        failed_again(hours=2),
        [odd(ago(hours=2))],
        Verdict.REDELIVER,
    ),
    "an odd row after it": (failed_again(hours=2), [odd(ago(hours=1))], Verdict.EXPIRED),
    "an odd row that is a redelivery": (
        failed_again(hours=2),
        [odd(may_be_original=False)],
        Verdict.EXPIRED,
    ),
    "an odd row of unknown time": (
        failed_again(hours=2),
        [odd(ago(days=9), until=ago())],
        Verdict.REDELIVER,
    ),
    "an odd row that is too old": (failed_again(hours=2), [odd(ago(days=9))], Verdict.TOO_OLD),
    "an odd row of any event, half of the time after its attempt": (
        failed_again(hours=36),
        [odd(ago(hours=40))],
        Verdict.REDELIVER,
    ),
    "an odd row of any event, later": (
        failed_again(hours=36, seconds=1),
        [odd(ago(hours=40))],
        Verdict.EXPIRED,
    ),
    "an odd row of the event, later": (
        failed_again(hours=36, seconds=1),
        [odd(ago(hours=40), guid=OWN)],
        Verdict.REDELIVER,
    ),
}


@pytest.mark.parametrize("case", FIRST)
def test_an_odd_row_may_be_the_first_attempt(case: str) -> None:
    """Events are given up after 72 hours, and the log has only this redelivery of the event."""
    attempt, rows, verdict = FIRST[case]

    found = decide([attempt], a_window(), a_policy(), unreadable=rows)

    assert found is verdict


@pytest.mark.parametrize(
    ("row", "held"),
    [
        pytest.param(odd(ago(hours=2)), ago(hours=2), id="in the window"),
        pytest.param(odd(ago(hours=6, minutes=10)), ago(hours=6), id="at its start"),
        pytest.param(odd(ago(hours=6, minutes=10, seconds=1)), None, id="before the window"),
        pytest.param(odd(ago(days=9), until=ago(hours=5)), ago(hours=6), id="perhaps before it"),
        pytest.param(odd(ago()), ago(), id="at the start of the run"),
        pytest.param(odd(ago(seconds=-1)), None, id="after it"),
        pytest.param(odd(ago(hours=2), succeeded=True), None, id="a success"),
    ],
)
def test_the_checkpoint_does_not_pass_an_odd_row(row: UnreadableRow, held: datetime | None) -> None:
    times = held_times([row], a_window(ago(hours=6)), given_up_before=ago(days=3))

    assert times == ([held] if held else [])


def test_the_checkpoint_passes_an_odd_row_that_is_given_up() -> None:
    rows = [odd(ago(hours=4)), odd(ago(hours=4, seconds=1))]

    assert held_times(rows, a_window(), given_up_before=ago(hours=4)) == [ago(hours=4)]
