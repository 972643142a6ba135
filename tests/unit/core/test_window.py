"""What a run is responsible for, and what earlier runs may have done."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from redeliver.core.checkpoint import Claim, Ended, Mark
from redeliver.core.window import SETTLED, Window
from redeliver.errors import InputError
from tests.support.builders import NOW, a_delivery, a_window, ago, failed, failed_again

SLOTS = Ended((ago(minutes=15), ago(minutes=5), NOW))
"""Redeliveries with unknown outcomes were requested before 11:45, 11:55 and 12:00."""


def a_window_at(now: datetime, mark: Mark) -> Window:
    """Return the window of a run after one that wrote the checkpoint at 11:57."""
    return replace(a_window(ago(hours=1), written=ago(minutes=3), mark=mark), now=now)


@pytest.mark.parametrize(
    ("mark", "unknown", "last"),
    [
        pytest.param(Claim(567), (NOW,), ago(minutes=3), id="a run under way"),
        pytest.param(SLOTS, SLOTS.unknown, ago(minutes=3), id="a slot that ends after the writing"),
        pytest.param(
            Ended(SLOTS.unknown[:2]), SLOTS.unknown[:2], ago(minutes=5), id="earlier slots"
        ),
        pytest.param(Ended(), (), None, id="nothing unknown"),
    ],
)
def test_earlier_runs_may_have_requested_redeliveries(
    mark: Mark, unknown: tuple[datetime, ...], last: datetime | None
) -> None:
    window = a_window_at(NOW, mark)

    assert (window.unknown, window.last_unknown) == (unknown, last)


@pytest.mark.parametrize(
    ("mark", "settled_at"),
    [
        pytest.param(Claim(567), ago(minutes=-13), id="16 minutes after a run wrote"),
        pytest.param(SLOTS, ago(minutes=-16), id="16 minutes after the last slot"),
    ],
)
def test_the_log_shows_all_redeliveries_after_16_minutes(mark: Mark, settled_at: datetime) -> None:
    before = a_window_at(settled_at - timedelta(seconds=1), mark)
    after = a_window_at(settled_at, mark)

    assert before.settled_at == after.settled_at == settled_at
    assert before.last_unknown is not None
    assert after.last_unknown is None
    assert a_window_at(NOW, Ended()).settled_at == NOW


def test_an_interrupted_run_is_forgotten_after_16_minutes() -> None:
    assert a_window_at(ago(minutes=-13, seconds=1), Claim(567)).unknown == (NOW,)
    assert a_window_at(ago(minutes=-13), Claim(567)).unknown == ()


def test_an_attempt_can_belong_to_its_own_slot_or_the_next() -> None:
    """It is from 11:43, so it may have been requested until 11:55, and be under way until 12:11."""
    attempt = a_delivery(at=ago(minutes=17))

    assert a_window_at(ago(minutes=-11, seconds=1), SLOTS).may_be_under_way(attempt)
    assert not a_window_at(ago(minutes=-11), SLOTS).may_be_under_way(attempt)


def test_messages_say_the_16_minutes() -> None:
    assert SETTLED.startswith("at least 16 minutes after the last run that redelivered ")


def test_a_failure_at_the_start_of_a_run_is_of_this_run() -> None:
    assert a_window().is_of_this_run(failed(hours=0))
    assert not a_window().is_of_this_run(failed(seconds=-1))


def test_a_run_may_have_seen_what_failed_when_it_wrote() -> None:
    window = a_window(written=ago(minutes=3))

    assert window.was_seen(failed(minutes=3))
    assert not window.was_seen(failed(seconds=3 * 60 - 1))
    assert not a_window(None).was_seen(failed(minutes=3))


def test_a_redelivery_of_the_last_16_minutes_is_the_runs_own() -> None:
    window = a_window(written=ago(minutes=3))

    assert not window.may_have_been_requested(failed_again(minutes=19))
    assert window.may_have_been_requested(failed_again(minutes=19, seconds=1))
    assert window.may_have_been_requested(failed(minutes=3))


def test_the_position_in_a_queue_moves_each_hour() -> None:
    """It is back where it was after 62 hours."""
    at_noon = a_window().phase
    later = [replace(a_window(), now=ago(minutes=-minutes)).phase for minutes in (59, 60, 62 * 60)]

    assert later == [at_noon, pytest.approx((at_noon + 1 / 62) % 1), at_noon]


@pytest.mark.parametrize(
    ("since", "until", "error"),
    [
        (NOW, None, "input 'since' must be before the start of this run"),
        (ago(hours=1), ago(hours=1), "input 'until' must be later than 'since'"),
    ],
)
def test_a_range_has_a_length(since: datetime, until: datetime | None, error: str) -> None:
    with pytest.raises(InputError) as caught:
        Window.of_replay(since, until, now=NOW)

    assert str(caught.value) == error


def test_a_replay_looks_at_what_failed_since_it_began() -> None:
    window = Window.of_replay(ago(hours=1), None, now=NOW)

    assert window.is_of_this_run(failed(seconds=-1))
