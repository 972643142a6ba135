"""How well a receiver works, by the rows of its log."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery
from redeliver.core.health import FailureKind, Health, HealthVerdict
from redeliver.core.pages import Page
from redeliver.core.policy import ScanMode
from redeliver.core.unreadable import UnreadableRow
from redeliver.core.window import Window
from redeliver.errors import UnavailableError
from tests.support.builders import (
    FOUR_ATTEMPTS,
    NOW,
    a_delivery,
    a_log,
    a_window,
    ago,
    delivered,
    failed,
    failed_again,
    health_of,
    scan_log,
    scan_of,
    succeeded,
    succeeded_again,
)

SUCCESSES = tuple(succeeded(minutes=n) for n in range(1, 101))
SUCCESSES_BEFORE = tuple(succeeded(minutes=n) for n in range(62, 162))
BEFORE = succeeded(hours=7)
"""A delivery from before the window."""


def took(seconds: float | None, *, minutes: float = 1) -> Delivery:
    """Return a success that took this long."""
    return a_delivery(at=ago(minutes=minutes), status="OK", status_code=200, duration=seconds)


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        pytest.param(SUCCESSES, HealthVerdict.HEALTHY, id="all succeed"),
        pytest.param(SUCCESSES[:1], HealthVerdict.HEALTHY, id="the only delivery succeeds"),
        pytest.param([failed(minutes=1)], HealthVerdict.FAILING, id="the only delivery fails"),
        pytest.param([failed(minutes=1), BEFORE], HealthVerdict.FAILING, id="the newest fails"),
        pytest.param([failed(minutes=n) for n in range(2)], HealthVerdict.DOWN, id="both fail"),
        pytest.param([BEFORE], HealthVerdict.SILENT, id="no delivery, but one before"),
        pytest.param(
            [failed(minutes=n) for n in range(4)] + [*SUCCESSES],
            HealthVerdict.HEALTHY,
            id="few failures among many deliveries",
        ),
        pytest.param(
            [failed(minutes=n) for n in range(5)] + [*SUCCESSES],
            HealthVerdict.DOWN,
            id="the newest five fail",
        ),
        pytest.param(
            [failed(minutes=1), failed(hours=2)],
            HealthVerdict.DOWN,
            id="two fail in two hours",
        ),
        pytest.param(
            [failed(minutes=1), failed(minutes=61), *SUCCESSES_BEFORE],
            HealthVerdict.DOWN,
            id="two fail within an hour",
        ),
        pytest.param(
            [failed(minutes=1), failed(minutes=60), *SUCCESSES_BEFORE],
            HealthVerdict.HEALTHY,
            id="two fail within 59 minutes",
        ),
        pytest.param(
            [failed(hours=7 + n) for n in range(5)],
            HealthVerdict.DOWN,
            id="no delivery since all failed",
        ),
        pytest.param(
            [*SUCCESSES[:1], *(failed(hours=n) for n in range(1, 6))],
            HealthVerdict.FAILING,
            id="an outage is over",
        ),
        pytest.param(
            [succeeded_again(minutes=1), *(failed(hours=n) for n in range(1, 6))],
            HealthVerdict.FAILING,
            id="a redelivery ends an outage",
        ),
        pytest.param(
            [*(failed_again(minutes=n) for n in range(9)), *SUCCESSES],
            HealthVerdict.HEALTHY,
            id="redeliveries fail",
        ),
        pytest.param(
            [*(failed_again(minutes=n) for n in range(9)), BEFORE],
            HealthVerdict.SILENT,
            id="there are only redeliveries",
        ),
        pytest.param([took(9.0), took(9.0)], HealthVerdict.SLOW, id="both are slow"),
        pytest.param([took(9.0)], HealthVerdict.HEALTHY, id="the only delivery is slow"),
        pytest.param([took(None)] * 3, HealthVerdict.HEALTHY, id="no duration is known"),
    ],
)
def test_a_verdict_says_how_well_a_receiver_works(
    log: list[Delivery], verdict: HealthVerdict
) -> None:
    assert health_of(*log).verdict is verdict


def test_a_receiver_is_failing_from_a_share_of_failures_on() -> None:
    failures = [failed(minutes=30) for _ in range(5)]

    at_limit = health_of(*SUCCESSES[5:], *failures)
    below = health_of(*SUCCESSES[5:], *failures[1:])

    assert (at_limit.deliveries, at_limit.failure_rate) == (100, 0.05)
    assert at_limit.verdict is HealthVerdict.FAILING
    assert below.verdict is HealthVerdict.HEALTHY


def test_a_receiver_is_slow_from_a_share_of_slow_answers_on() -> None:
    slow = [took(8.01)] * 5

    at_limit = health_of(*SUCCESSES[5:], *slow)
    below = health_of(*SUCCESSES[5:], *slow[1:])

    assert (at_limit.responses, at_limit.slow_share) == (100, 0.05)
    assert at_limit.verdict is HealthVerdict.SLOW
    assert below.verdict is HealthVerdict.HEALTHY


@pytest.mark.parametrize(
    ("waits", "seconds", "slow"),
    [(10, 8.0, 0), (10, 8.01, 1), (10, 10.02, 1), (30, 24.0, 0), (30, 24.1, 1), (30, 60, 1)],
)
def test_an_answer_is_slow_after_four_fifths_of_the_limit(
    waits: int, seconds: float, slow: int
) -> None:
    health = health_of(took(seconds), receiver_timeout=timedelta(seconds=waits))

    assert health.slow == slow


def test_only_answers_of_the_receiver_have_a_duration() -> None:
    timeout = a_delivery(duration=10.0)
    unreachable = a_delivery(status="failed to connect to host", status_code=502, duration=10.0)

    health = health_of(took(0.2), took(None), timeout, unreachable)

    assert (health.responses, health.slow) == (2, 1)


@pytest.mark.parametrize(
    ("seconds", "p95"),
    [
        ([], None),
        ([0.0], 0.0),
        ([0.21], 0.3),
        ([n / 10 for n in range(1, 101)], 9.5),
        ([0.1] * 94 + [9.0] * 6, 9.0),
        ([0.1] * 95 + [9.0] * 5, 0.1),
        ([0.1] * 949 + [9.0] * 51, 9.0),
        ([60], 60),
    ],
)
def test_the_95th_percentile_is_rounded_up_to_tenths(
    seconds: list[float], p95: float | None
) -> None:
    assert health_of(took(None), *map(took, seconds)).p95 == p95


def test_throttled_deliveries_are_counted() -> None:
    success = a_delivery(status="OK", status_code=200, throttled=True)
    failure = a_delivery(throttled=True)

    assert health_of(success, success, failure, failure, a_delivery()).throttled == 4


def test_refused_deliveries_count_as_responses() -> None:
    refused = a_delivery(status="Invalid HTTP Response: 403", status_code=403, duration=9.0)
    no_connection = a_delivery(status="failed to connect to host", status_code=502, duration=9.0)

    health = health_of(refused, refused, no_connection)

    assert (health.responses, health.slow) == (2, 2)


def test_rows_in_another_order_are_counted_alike() -> None:
    """Each is counted in its own minute, also if it is where a minute ends."""
    window = Window.starting(None, now=NOW, lookback=timedelta(minutes=4))
    rows = [
        succeeded(minutes=1.5),
        succeeded(minutes=1),
        succeeded(minutes=9),
        succeeded(minutes=3.5),
        succeeded(minutes=1.5),
        failed(minutes=4),
    ]

    for log in (rows, rows[::-1]):
        health = health_of(*log, window=window)
        assert (health.timeline.delivered, health.timeline.failed) == ((1, 0, 2, 1), (1, 0, 0, 0))
        assert (health.deliveries, health.failed) == (5, 1)


def test_last_times_are_also_from_before_the_window() -> None:
    health = health_of(failed(hours=7), failed(hours=8), succeeded(hours=9), succeeded(hours=10))

    assert health.last_failure == ago(hours=7)
    assert health.last_success == ago(hours=9)
    assert (health.deliveries, health.failed, health.failure_rate) == (0, 0, None)
    assert health.slow_share is None


def test_last_times_are_none_if_no_such_delivery_was_read() -> None:
    assert health_of(failed(minutes=1)).last_success is None
    assert health_of(succeeded(minutes=1)).last_failure is None


def test_a_receiver_is_down_since_its_first_failure_in_a_row() -> None:
    log = [failed(hours=n) for n in range(1, 9)] + [succeeded(hours=9), failed(hours=10)]

    health = health_of(*log)

    assert health.down_since == ago(hours=8)
    assert health.in_a_row == 8
    assert health.failed == 6, "of the window"


def test_a_receiver_is_not_down_after_a_redelivery_succeeded() -> None:
    health = health_of(*(failed(hours=n) for n in range(1, 6)), succeeded(hours=5, minutes=30))

    after = health.after_success(NOW)

    assert (health.verdict, health.in_a_row) == (HealthVerdict.DOWN, 5)
    assert after.verdict is health.unless_down is HealthVerdict.FAILING
    assert (after.down_since, after.in_a_row, after.last_success) == (None, 0, NOW)


def test_a_receiver_that_is_not_down_has_no_time_of_that() -> None:
    assert health_of(succeeded(minutes=1), failed(hours=1)).down_since is None


STATUSES = {
    ("failed to connect to host", 502): FailureKind.NO_CONNECTION,
    ("failed to connect to network", 502): FailureKind.NO_CONNECTION,
    ("", 0): FailureKind.NO_CONNECTION,
    ("POST https://x.example giving up after 1 attempt(s): EOF", 500): FailureKind.NO_CONNECTION,
    ("failed to connect to proxy", 500): FailureKind.NO_CONNECTION,
    ("timed out", 504): FailureKind.TIMEOUT,
    ("timed out", 0): FailureKind.TIMEOUT,
    ("Invalid HTTP Response: 401", 401): FailureKind.REJECTED,
    ("Invalid HTTP Response: 403", 403): FailureKind.REJECTED,
    ("Invalid HTTP Response: 404", 404): FailureKind.REJECTED,
    ("Invalid HTTP Response: 502", 502): FailureKind.ERROR,
    ("Invalid HTTP Response: 504", 504): FailureKind.ERROR,
    ("Invalid HTTP Response: 302", 302): FailureKind.ERROR,
    ("something new", 999): FailureKind.ERROR,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items(), ids=map(str, STATUSES))
def test_the_kind_of_a_failure_follows_from_its_status(
    status: tuple[str, int], kind: FailureKind
) -> None:
    text, code = status

    assert health_of(a_delivery(status=text, status_code=code)).failures == {kind: 1}


def test_the_most_frequent_kind_of_failure_comes_first() -> None:
    refused = a_delivery(status="Invalid HTTP Response: 403", status_code=403)

    health = health_of(a_delivery(), refused, refused)

    assert list(health.failures.items()) == [(FailureKind.REJECTED, 2), (FailureKind.TIMEOUT, 1)]


def test_a_timeline_shows_when_deliveries_failed() -> None:
    window = Window.starting(None, now=NOW, lookback=timedelta(minutes=20))

    health = health_of(
        delivered(at=NOW + timedelta(seconds=5)),
        succeeded(minutes=0.5),
        failed(minutes=1),
        failed(minutes=19.5),
        succeeded(minutes=20),
        succeeded(minutes=21),
        window=window,
    )

    timeline = health.timeline
    assert (timeline.start, timeline.step) == (ago(minutes=20), timedelta(minutes=1))
    assert timeline.delivered == (1, *[0] * 18, 2)
    assert timeline.failed == (1, *[0] * 18, 1)


@pytest.mark.parametrize(
    ("span", "step", "number"),
    [
        (timedelta(minutes=10), timedelta(minutes=1), 10),
        (timedelta(hours=2), timedelta(minutes=5), 24),
        (timedelta(hours=6, minutes=10), timedelta(minutes=10), 37),
        (timedelta(hours=12), timedelta(minutes=30), 24),
        (timedelta(days=1), timedelta(hours=1), 24),
        (timedelta(days=3), timedelta(hours=2), 36),
        (timedelta(days=5), timedelta(hours=3), 40),
        (timedelta(days=7), timedelta(hours=6), 28),
        (timedelta(days=300), timedelta(hours=6), 48),
    ],
)
def test_a_timeline_has_a_readable_number_of_steps(
    span: timedelta, step: timedelta, number: int
) -> None:
    oldest = delivered(at=NOW - span)
    timeline = health_of(oldest, window=Window.starting(None, now=NOW, lookback=span)).timeline

    assert timeline.step == step
    assert len(timeline.delivered) == len(timeline.failed) == number
    assert timeline.delivered[0] == 1


def test_no_timeline_has_too_many_steps() -> None:
    for minutes in range(1, 12 * 24 * 60, 97):
        now = NOW + timedelta(minutes=minutes % 61)
        window = Window.starting(None, now=now, lookback=timedelta(minutes=minutes))

        timeline = health_of(delivered(at=now), window=window).timeline

        assert len(timeline.delivered) <= 48
        assert timeline.step / timedelta(minutes=1) in {1, 5, 10, 30, 60, 120, 180, 360}


def test_the_worst_verdict_is_that_of_all_webhooks() -> None:
    some = [HealthVerdict.HEALTHY, HealthVerdict.SLOW, HealthVerdict.SILENT]

    assert HealthVerdict.worst(some) is HealthVerdict.SLOW
    assert HealthVerdict.worst([]) is None


def health_in_scan(log: list[Delivery], *, mode: ScanMode = ScanMode.FULL) -> Health | None:
    return scan_log(a_log(log, per_page=30), a_window(), FOUR_ATTEMPTS, mode).health


def test_a_scan_counts_each_page() -> None:
    health = health_in_scan([*SUCCESSES, failed(hours=5)])

    assert health
    assert (health.deliveries, health.failed) == (101, 1)


def test_an_empty_log_tells_nothing() -> None:
    assert scan_of([]).health is None


def test_a_scan_for_failures_tells_nothing() -> None:
    assert health_in_scan([failed(hours=n) for n in range(5)], mode=ScanMode.FAILURES) is None


def test_a_log_that_broke_off_is_not_silent() -> None:
    def rows() -> Iterator[Delivery]:
        yield from [BEFORE, BEFORE]
        raise UnavailableError("GitHub is down")

    assert scan_of([BEFORE]).health
    assert scan_of(rows()).health is None


def test_a_log_with_unreadable_rows_is_not_silent() -> None:
    row = UnreadableRow(
        problem="odd",
        id="1",
        guid=None,
        succeeded=False,
        may_be_original=True,
        earliest=ago(hours=1),
        latest=ago(hours=1),
    )
    page = Page(rows=[BEFORE], is_last=True, unreadable=[row])

    assert scan_log(lambda _: [page], a_window(), FOUR_ATTEMPTS, ScanMode.FULL).health is None
