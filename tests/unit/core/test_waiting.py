"""An event that keeps failing waits longer each time, but not after an outage."""

from dataclasses import replace
from datetime import datetime

import pytest

from redeliver.core.checkpoint import EPOCH, Ended
from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.policy import ScanMode
from redeliver.core.waiting import Receiver, Times, waits_until
from tests.support.builders import (
    NOW,
    WEBHOOK,
    a_delivery,
    a_log,
    a_policy,
    a_window,
    ago,
    delivered,
    failed,
    failed_again,
    plan_of,
    scan_log,
)


def accepted(**span: float) -> Delivery:
    """Return a delivery of another event that the receiver accepted."""
    return delivered("another", at=ago(**span))


def down(*, redelivery: bool = False, **span: float) -> Delivery:
    """Return a delivery of another event that failed."""
    return a_delivery("down", at=ago(**span), redelivery=redelivery)


WAITS = {
    "it failed for the first time": ([failed(minutes=1)], Verdict.REDELIVER),
    "it failed again, after less than 1.8 times the time between its attempts": (
        [failed_again(minutes=17), failed(minutes=27)],
        Verdict.WAITING,
    ),
    "it failed again, 1.8 times as long ago as the time between its attempts": (
        [failed_again(minutes=18), failed(minutes=28)],
        Verdict.REDELIVER,
    ),
    "it failed again 44 minutes ago, 90 minutes after its attempt before": (
        [failed_again(minutes=44), failed(minutes=134)],
        Verdict.WAITING,
    ),
    "it failed again 45 minutes ago, 90 minutes after its attempt before": (
        [failed_again(minutes=45), failed(minutes=135)],
        Verdict.REDELIVER,
    ),
    "it failed again a minute ago, more than 90 minutes after its attempt before": (
        [failed_again(minutes=1), failed(minutes=91, seconds=1)],
        Verdict.REDELIVER,
    ),
    "only its last two attempts count": (
        [failed_again(minutes=2), failed_again(minutes=3), failed(hours=9)],
        Verdict.REDELIVER,
    ),
    "the receiver was down at its last attempt, and has accepted another event since": (
        [
            accepted(minutes=1),
            failed_again(minutes=2),
            down(minutes=7),
            failed(minutes=12),
            accepted(minutes=13),
        ],
        Verdict.REDELIVER,
    ),
    "it failed before the outage, and others during it": (
        [
            accepted(minutes=1),
            failed_again(minutes=2),
            down(minutes=13),
            failed_again(minutes=12),
            accepted(minutes=14),
            failed(hours=1),
        ],
        Verdict.REDELIVER,
    ),
    "between its attempts nothing happened, and before and after them others were delivered": (
        [
            accepted(minutes=1),
            failed_again(minutes=2),
            failed_again(minutes=12),
            accepted(minutes=13),
            failed(minutes=14),
        ],
        Verdict.WAITING,
    ),
    "between its attempts only redeliveries failed, and since then an event was delivered": (
        [
            accepted(minutes=1),
            failed_again(minutes=2),
            down(minutes=7, redelivery=True),
            failed_again(minutes=12),
            accepted(minutes=13),
            failed(minutes=20),
        ],
        Verdict.WAITING,
    ),
    "others failed between its attempts, but one was delivered just before the last one": (
        [
            accepted(minutes=1),
            failed_again(minutes=2),
            accepted(minutes=6),
            down(minutes=7),
            failed(minutes=12),
        ],
        Verdict.WAITING,
    ),
    "deliveries in the minutes of its attempts, but not between them, do not count": (
        [
            accepted(minutes=1, seconds=50),
            failed_again(minutes=2),
            down(minutes=7),
            failed(minutes=12),
            accepted(minutes=12, seconds=1),
        ],
        Verdict.REDELIVER,
    ),
    "the outage of its last attempt is not over": (
        [failed_again(minutes=2), down(minutes=7), failed(minutes=12)],
        Verdict.WAITING,
    ),
    "it has no attempt left": (
        [
            failed_again(minutes=2),
            failed_again(minutes=4),
            failed_again(minutes=9),
            failed(hours=1),
        ],
        Verdict.EXHAUSTED,
    ),
    "it is too old": ([failed_again(minutes=2), failed(hours=73)], Verdict.TOO_OLD),
    "its first attempt has left the log": ([failed_again(minutes=2)], Verdict.EXPIRED),
}


@pytest.mark.parametrize("case", WAITS)
def test_an_event_waits_if_it_keeps_failing(case: str) -> None:
    log, verdict = WAITS[case]

    decisions = plan_of(log, a_window(ago(hours=2))).decisions

    assert {d.delivery.guid: d.verdict for d in decisions}[failed().guid] is verdict


def test_a_run_that_tries_all_at_once_lets_nothing_wait() -> None:
    log = [failed_again(minutes=2), failed(minutes=12)]

    (decision,) = plan_of(log, policy=a_policy(at_once=True)).decisions

    assert decision.verdict is Verdict.REDELIVER


def test_an_event_of_a_switched_off_webhook_does_not_wait() -> None:
    off = replace(WEBHOOK, is_active=False)
    log = a_log([failed_again(minutes=2), failed(minutes=12)])

    scan = scan_log(log, a_window(), a_policy(), ScanMode.FULL, webhook=off)

    assert [decision.verdict for decision in scan.decisions] == [Verdict.SWITCHED_OFF]


def test_an_event_that_may_be_under_way_is_unsettled() -> None:
    log = [failed_again(minutes=2), failed(minutes=12)]

    (decision,) = plan_of(log, a_window(written=ago(minutes=1))).decisions

    assert decision.verdict is Verdict.UNSETTLED


def busy_log(*attempts: Delivery, days: int) -> list[Delivery]:
    """Return a log in which a delivery succeeds every minute."""
    others = [
        delivered(f"other-{minute}", at=ago(minutes=minute, seconds=30), number=minute)
        for minute in range(days * 24 * 60)
    ]
    return sorted([*others, *attempts], key=lambda row: row.delivered_at, reverse=True)


@pytest.mark.parametrize("mode", ScanMode)
@pytest.mark.parametrize(
    ("minutes", "rows"),
    [
        pytest.param(10, range(300), id="soon after the last attempt"),
        pytest.param(44, range(300), id="at the end of the longest wait"),
        pytest.param(46, range(4000, 4500), id="after the wait, to redeliver it"),
    ],
)
def test_the_log_is_not_read_back_for_an_event_that_waits(
    minutes: int, rows: range, mode: ScanMode
) -> None:
    """Its first attempt is nearly three days old, and other events succeed all the time."""
    log = busy_log(
        failed_again(minutes=minutes), failed_again(minutes=minutes + 50), failed(hours=71), days=3
    )
    window = a_window(ago(minutes=minutes), mark=Ended())

    scan = scan_log(a_log(log), window, a_policy(), mode)

    (decision,) = scan.decisions
    assert decision.verdict is (Verdict.REDELIVER if minutes >= 45 else Verdict.WAITING)
    assert scan.scanned in rows


def test_the_log_is_read_back_for_what_may_be_due() -> None:
    """The webhook was down at the last attempt, so its beginning decides."""
    log = [
        accepted(minutes=1),
        failed_again(minutes=2),
        *(a_delivery(f"down-{n}", at=ago(minutes=3, seconds=n), number=n) for n in range(300)),
        failed(hours=2),
    ]

    window = a_window(ago(minutes=2), mark=Ended())
    decisions = {d.delivery.guid: d for d in plan_of(log, window).decisions}

    assert decisions[failed().guid].verdict is Verdict.REDELIVER
    assert decisions[failed().guid].has_all_attempts


def test_the_log_is_read_until_it_shows_the_outage() -> None:
    """Since the events failed for the first time, only their redeliveries have failed."""
    log = [accepted(minutes=1)]
    for number in range(150):
        guid, ages = f"event-{number}", (25, 45, 60, 180)
        for index, age in enumerate(ages):
            at = ago(minutes=age, seconds=number / 10)
            row = a_delivery(guid, at=at, number=number * 4 + index, redelivery=age < 180)
            log.append(row)
    log.sort(key=lambda row: row.delivered_at, reverse=True)

    decisions = plan_of(log, a_window(ago(minutes=25), mark=Ended()), a_policy()).decisions

    assert {decision.verdict for decision in decisions} == {Verdict.REDELIVER}


def test_an_event_with_one_known_attempt_does_not_wait() -> None:
    attempts = [failed_again(minutes=2), failed(minutes=12)]

    assert waits_until(attempts, Receiver())
    assert waits_until(attempts[:1], Receiver()) is None


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(ago(minutes=9), EPOCH, id="before the first"),
        pytest.param(ago(minutes=5), ago(minutes=5), id="at the first"),
        pytest.param(ago(minutes=2, seconds=10), ago(minutes=5), id="before the last"),
        pytest.param(NOW, ago(minutes=2), id="after the last"),
    ],
)
def test_the_last_time_until_another_is_found(until: datetime, expected: datetime) -> None:
    times = Times()
    times.add(ago(minutes=5))
    times.add(ago(minutes=2))

    assert times.last(until) == expected
    assert Times().last(until) == EPOCH
