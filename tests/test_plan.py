from collections.abc import Iterator
from datetime import timedelta

import pytest

from redeliver.delivery import Delivery
from redeliver.plan import OVERLAP, Verdict, plan
from tests.builders import a_delivery, a_window, ago, delivered

CHECKPOINT = ago(hours=6)


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        pytest.param([a_delivery()], Verdict.REDELIVER, id="failed once"),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True), a_delivery(at=ago(hours=2))],
            Verdict.REDELIVER,
            id="failed again",
        ),
        pytest.param(
            [
                a_delivery(at=ago(hours=1), redelivery=True),
                a_delivery(at=ago(hours=2), redelivery=True),
                a_delivery(at=ago(hours=3)),
            ],
            Verdict.REDELIVER,
            id="failed again and again",
        ),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True), a_delivery(at=ago(hours=50))],
            Verdict.REDELIVER,
            id="failed again, first long before the window",
        ),
        pytest.param(
            [delivered(at=ago(hours=1), redelivery=True), a_delivery(at=ago(hours=2))],
            Verdict.DELIVERED,
            id="a redelivery succeeded",
        ),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True), delivered(at=ago(hours=2))],
            Verdict.DELIVERED,
            id="redelivered by hand without need, and failed",
        ),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True), delivered(at=ago(hours=50))],
            Verdict.DELIVERED,
            id="the same, first long before the window",
        ),
        pytest.param(
            [
                a_delivery(at=ago(hours=1), redelivery=True),
                delivered(at=ago(hours=40), redelivery=True),
                a_delivery(at=ago(hours=50)),
            ],
            Verdict.DELIVERED,
            id="an attempt between the first and the last succeeded",
        ),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True)],
            Verdict.GIVEN_UP,
            id="its original has left the log",
        ),
        pytest.param(
            [a_delivery(at=CHECKPOINT - OVERLAP)],
            Verdict.REDELIVER,
            id="showed late, before the checkpoint",
        ),
    ],
)
def test_the_verdict_on_a_guid(log: list[Delivery], verdict: Verdict) -> None:
    (decision,) = plan(log, a_window(CHECKPOINT)).decisions

    assert decision.verdict is verdict
    assert decision.delivery == log[0], "the newest attempt"


@pytest.mark.parametrize(
    ("log", "why"),
    [
        pytest.param([], "an empty log", id="an empty log"),
        pytest.param([delivered()], "nothing failed", id="delivered at once"),
        pytest.param(
            [delivered(at=ago(hours=1), redelivery=True), delivered(at=ago(hours=2))],
            "nothing failed",
            id="delivered twice",
        ),
        pytest.param(
            [a_delivery(at=CHECKPOINT - OVERLAP - timedelta(milliseconds=1))],
            "it was the previous run's",
            id="failed before the window",
        ),
    ],
)
def test_there_is_nothing_to_decide_for(log: list[Delivery], why: str) -> None:
    assert plan(log, a_window(CHECKPOINT)).decisions == (), why


def test_a_run_soon_after_another_leaves_alone_what_that_one_may_have_redelivered() -> None:
    just_now = ago(minutes=2)
    seen_by_both, new = (
        a_delivery("old", at=just_now, number=1),
        a_delivery("new", at=ago(minutes=1), number=2),
    )

    old, fresh = plan([new, seen_by_both], a_window(just_now)).decisions

    assert (old.delivery.guid, old.verdict) == ("old", Verdict.UNSETTLED)
    assert (fresh.delivery.guid, fresh.verdict) == ("new", Verdict.REDELIVER)


def test_without_a_checkpoint_the_window_is_the_lookback() -> None:
    log = [a_delivery("in", at=ago(hours=24)), a_delivery("out", at=ago(hours=24, seconds=1))]

    decisions = plan(log, a_window(None)).decisions

    assert [decision.delivery.guid for decision in decisions] == ["in"]


def test_the_oldest_event_comes_first_and_then_the_smaller_id() -> None:
    log = [
        a_delivery("c", at=ago(hours=1), number=3),
        a_delivery("b", at=ago(hours=2), number=7),
        a_delivery("a", at=ago(hours=2), number=5),
        a_delivery("a redelivery", at=ago(minutes=30), number=9, redelivery=True),
        a_delivery("a redelivery", at=ago(hours=3), number=1),
    ]
    log.sort(key=lambda delivery: delivery.delivered_at, reverse=True)

    decisions = plan(log, a_window()).decisions

    assert [d.delivery.guid for d in decisions] == ["a redelivery", "a", "b", "c"]


class Reading:
    """A log that counts how many rows were taken from it."""

    def __init__(self, *rows: Delivery) -> None:
        self.rows = rows
        self.taken = 0

    def __iter__(self) -> Iterator[Delivery]:
        for row in self.rows:
            self.taken += 1
            yield row


BEFORE = [delivered(f"old-{n}", at=ago(hours=8 + n)) for n in range(20)]


@pytest.mark.parametrize(
    ("inside", "taken"),
    [
        pytest.param([delivered()], 2, id="nothing failed"),
        pytest.param([a_delivery()], 2, id="an original failed"),
        pytest.param([delivered(at=ago(hours=1), redelivery=True)], 2, id="a redelivery succeeded"),
        pytest.param(
            [a_delivery(at=ago(hours=1), redelivery=True), a_delivery(at=ago(hours=2))],
            3,
            id="a redelivery failed and its original shows",
        ),
        pytest.param(
            [a_delivery("old-5", at=ago(hours=1), redelivery=True)],
            8,
            id="a redelivery failed and its original is old: read to it and one more",
        ),
        pytest.param(
            [a_delivery("expired", redelivery=True)], 21, id="the original is gone: all is read"
        ),
    ],
)
def test_no_more_of_the_log_is_read_than_needed(inside: list[Delivery], taken: int) -> None:
    log = Reading(*inside, *BEFORE)

    plan(log, a_window())

    assert log.taken == taken


def test_failures_before_the_window_are_not_touched_while_reading_past_it() -> None:
    log = [
        a_delivery("seeks its original", at=ago(hours=1), redelivery=True),
        a_delivery("dealt with by an earlier run", at=ago(hours=20)),
        a_delivery("seeks its original", at=ago(hours=30)),
    ]

    decisions = plan(log, a_window()).decisions

    assert [d.delivery.guid for d in decisions] == ["seeks its original"]


def test_an_event_fails_since_its_original() -> None:
    log = [a_delivery(at=ago(hours=1), redelivery=True), a_delivery(at=ago(hours=50))]

    (decision,) = plan(log, a_window()).decisions

    assert decision.failing_since == ago(hours=50)


def test_rows_read_are_counted() -> None:
    assert plan([delivered("a"), delivered("b"), *BEFORE], a_window()).scanned == 2


def test_ids_beyond_2_to_the_53_stay_exact() -> None:
    (decision,) = plan([a_delivery(number=2**62 + 1)], a_window()).decisions

    assert decision.delivery.id == 4611686018427387905
