"""A full scan reads a log no further than it needs to, and decides about the right events."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, Guid, StatusFilter
from redeliver.core.event_filter import EventFilter
from redeliver.core.pages import Page
from redeliver.core.policy import Policy, ScanMode
from redeliver.core.scan import Scan
from redeliver.core.unreadable import UnreadableRow
from redeliver.errors import UnavailableError
from tests.support.builders import (
    FOUR_ATTEMPTS,
    WEBHOOK,
    a_delivery,
    a_log,
    a_policy,
    a_scan_result,
    a_window,
    ago,
    delivered,
    failed,
    failed_again,
    plan_of,
    repositories,
    scan_log,
    scan_of,
    succeeded,
    succeeded_again,
)


@pytest.mark.parametrize(
    ("log", "why"),
    [
        pytest.param([], "an empty log", id="an empty log"),
        pytest.param([succeeded(hours=1)], "nothing failed", id="delivered at once"),
        pytest.param(
            [succeeded_again(hours=1), succeeded(hours=2)], "nothing failed", id="delivered twice"
        ),
        pytest.param(
            [a_delivery(at=ago(hours=6, minutes=10, seconds=1))],
            "the previous run decided",
            id="failed before the window",
        ),
        pytest.param([a_delivery(at=ago(seconds=-1))], "the next run decides", id="failed since"),
        pytest.param(
            [a_delivery(at=ago(seconds=-1), redelivery=True), failed(hours=1)],
            "the next run decides",
            id="failed again since",
        ),
    ],
)
def test_an_event_needs_no_decision_if(log: list[Delivery], why: str) -> None:
    assert plan_of(log).decisions == (), why


def test_the_window_is_the_lookback_without_a_checkpoint() -> None:
    log = [a_delivery("in", at=ago(hours=24)), a_delivery("out", at=ago(hours=24, seconds=1))]

    decisions = plan_of(log, a_window(None)).decisions

    assert [decision.delivery.guid for decision in decisions] == ["in"]


BEFORE = [delivered(f"old-{n}", at=ago(hours=8 + n)) for n in range(300)]
"""Rows from before the window, one an hour. The policy allows events to be 172 hours old."""


@pytest.mark.parametrize(
    ("in_window", "rows_read"),
    [
        pytest.param([delivered()], 1 + 100, id="nothing failed"),
        pytest.param([a_delivery()], 1 + 100, id="an original failed"),
        pytest.param(
            [delivered(at=ago(hours=1), redelivery=True)],
            1 + 100,
            id="a redelivery succeeded",
        ),
        pytest.param(
            [failed_again(hours=1), failed(hours=2)],
            2 + 100,
            id="a redelivery failed, and its original is in the window",
        ),
        pytest.param(
            [a_delivery("old-140", at=ago(hours=1), redelivery=True)],
            1 + 141,
            id="a redelivery failed, and its original is older: read to it",
        ),
        pytest.param(
            [a_delivery("expired", redelivery=True)],
            1 + 165 + 100,
            id="a redelivery failed, and its original is missing: read 172 hours",
        ),
    ],
)
def test_the_log_is_read_no_further_than_needed(in_window: list[Delivery], rows_read: int) -> None:
    log = [*in_window, *BEFORE]

    planned = plan_of(log, policy=a_policy(give_up_after=timedelta(hours=172)))

    assert planned.scans[0].scanned == rows_read


def test_a_scan_counts_the_rows_of_the_window() -> None:
    """It reaches from ten minutes before the checkpoint to the start of the run."""
    log = [
        failed(seconds=-1),
        failed(seconds=0),
        succeeded(hours=1),
        failed(hours=6, minutes=10),
        failed(hours=6, minutes=10, seconds=1),
    ]

    scan = scan_of(log)

    assert (scan.in_window, scan.scanned, scan.failed_deliveries) == (3, 5, 4)


def test_a_scan_keeps_nothing_of_events_delivered_at_once() -> None:
    assert scan_of([succeeded(hours=1), failed(hours=2)]).seen == {"guid-1"}
    assert scan_of([succeeded(hours=1)]).seen == frozenset()


NAMED = a_policy(guids=frozenset({Guid("other")}))


@pytest.mark.parametrize(
    ("mode", "policy", "first"),
    [
        pytest.param(ScanMode.FULL, FOUR_ATTEMPTS, [1], id="a full scan"),
        pytest.param(ScanMode.FULL, NAMED, [1], id="for named events"),
        pytest.param(ScanMode.FAILURES, FOUR_ATTEMPTS, [1, 1], id="failures, then successes"),
    ],
)
def test_a_step_of_a_scan_reads_one_page(mode: ScanMode, policy: Policy, first: list[int]) -> None:
    """The last page of the failures comes together with the first page of the successes."""
    read = list[int]()

    def log(listed: StatusFilter) -> Iterator[Page]:
        for page in a_log([failed(hours=1), *BEFORE[:5]])(listed):
            read.append(len(page.rows))
            yield page

    scan = Scan(WEBHOOK, log, a_window(), policy, mode)

    assert scan.read_page()
    assert read == first
    assert scan.read_page()
    assert read == [*first, 1]


def test_failures_before_the_window_are_ignored() -> None:
    log = [
        a_delivery("seeks its original", at=ago(hours=1), redelivery=True, number=3),
        a_delivery("dealt with by an earlier run", at=ago(hours=20), number=2),
        a_delivery("seeks its original", at=ago(hours=30), number=1),
    ]

    decisions = plan_of(log).decisions

    assert [d.delivery.guid for d in decisions] == ["seeks its original"]


@pytest.mark.parametrize(
    ("unreadable", "read", "is_other"), [(10, 9, True), (10, 10, False), (9, 0, False)]
)
def test_ten_unreadable_rows_can_show_another_format(
    unreadable: int, read: int, *, is_other: bool
) -> None:
    """They do if the window has fewer rows that can be read."""
    row = UnreadableRow(problem="odd", earliest=ago(hours=1), latest=ago(hours=1))

    scan = replace(a_scan_result(), unreadable=(row,) * unreadable, in_window=read)

    assert scan.has_unknown_format is is_other


@pytest.mark.parametrize("number", [1, 20, 50, 99])
def test_rows_that_were_written_late_hide_no_failure(number: int) -> None:
    late = [delivered(f"late-{n}", at=ago(hours=30)) for n in range(number)]

    decisions = plan_of([*late, a_delivery("behind them")]).decisions

    assert [d.delivery.guid for d in decisions] == ["behind them"]


@pytest.mark.parametrize("before", [0, 1, 50, 99])
def test_a_block_of_late_rows_hides_no_page(before: int) -> None:
    log = [
        *(delivered(f"new-{n}", at=ago(minutes=1)) for n in range(before)),
        *(delivered(f"late-{n}", at=ago(hours=30)) for n in range(99)),
        *(delivered(f"in-window-{n}", at=ago(hours=1)) for n in range(200)),
        a_delivery("behind them", at=ago(hours=2)),
    ]

    scan = scan_log(a_log(log, per_page=100), a_window(), FOUR_ATTEMPTS, ScanMode.FULL)

    assert [d.delivery.guid for d in scan.decisions] == ["behind them"]


def test_all_rows_of_a_page_are_judged() -> None:
    page = [
        *(delivered(f"old-{n}", at=ago(hours=30)) for n in range(150)),
        a_delivery("behind them", at=ago(hours=1)),
    ]

    scan = scan_log(a_log(page, per_page=200), a_window(), FOUR_ATTEMPTS, ScanMode.FULL)

    assert [d.delivery.guid for d in scan.decisions] == ["behind them"]


def test_pages_are_read_one_at_a_time() -> None:
    log = [delivered(f"{n}", at=ago(minutes=n)) for n in range(250)]
    scan = Scan(
        WEBHOOK, a_log(log, per_page=100), a_window(ago(hours=9)), FOUR_ATTEMPTS, ScanMode.FULL
    )

    read = [(scan.read_page(), scan.result().scanned) for _ in range(3)]

    assert read == [(True, 100), (True, 200), (False, 250)], "the last page needs no further turn"


def test_a_scan_that_was_stopped_has_the_error_of_another() -> None:
    error = UnavailableError("used up")
    scan = Scan(WEBHOOK, a_log([a_delivery()]), a_window(), FOUR_ATTEMPTS, ScanMode.FULL)

    scan.stop(error)

    assert (scan.result().error, scan.result().is_unread) == (error, True)


@st.composite
def sorted_logs(draw: st.DrawFn) -> list[Delivery]:
    """Draw the attempts at a few events, newest first."""
    events = draw(
        st.lists(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=4))
    )
    rows = []
    for number, attempts in enumerate(events):
        for index, (minutes, is_success) in enumerate(sorted(attempts, reverse=True)):
            rows.append(
                a_delivery(
                    f"event-{number}",
                    at=ago(minutes=minutes),
                    number=1000 * number + index,
                    redelivery=index > 0,
                    status_code=200 if is_success else 500,
                )
            )
    return sorted(rows, key=lambda row: (row.delivered_at, row.id), reverse=True)


@given(sorted_logs(), st.data())
def test_the_order_of_rows_does_not_change_what_is_due(
    log: list[Delivery], data: st.DataObject
) -> None:
    window = a_window(ago(hours=10))
    repeated = data.draw(st.lists(st.sampled_from(log))) if log else []
    shuffled = data.draw(st.permutations([*log, *repeated]))

    def due(rows: list[Delivery]) -> list[Decision]:
        decisions = plan_of(rows, window).decisions
        return [each for each in decisions if each.verdict is Verdict.REDELIVER]

    assert due(shuffled) == due(log)


def test_a_partly_read_log_gives_the_decisions_it_allows() -> None:
    def broken() -> Iterator[Delivery]:
        yield a_delivery("again", at=ago(minutes=55), redelivery=True)
        yield a_delivery("whole", at=ago(hours=1))
        raise UnavailableError("GitHub is down")

    planned = plan_of(broken())

    assert [(d.delivery.guid, d.verdict) for d in planned.decisions] == [
        ("again", Verdict.UNREAD),
        ("whole", Verdict.REDELIVER),
    ]
    assert [d.has_all_attempts for d in planned.decisions] == [False, True]
    assert str(planned.scans[0].error) == "GitHub is down"
    assert planned.is_incomplete
    assert not planned.scans[0].is_unread


def test_a_log_without_a_readable_row_is_unread() -> None:
    def down() -> Iterator[Delivery]:
        raise UnavailableError("GitHub is down")
        yield

    (scan,) = plan_of(down()).scans

    assert scan.is_unread


def test_an_event_has_failed_since_its_original() -> None:
    (decision,) = plan_of([failed_again(hours=1), failed(hours=50)]).decisions

    assert decision.failing_since == ago(hours=50)


def test_rows_are_counted() -> None:
    assert plan_of([delivered("a"), delivered("b"), *BEFORE[:3]]).scans[0].scanned == 5


def test_failed_deliveries_are_counted_as_all_rows_are() -> None:
    """Also successful redeliveries, old rows, and rows that two pages repeat."""
    rows = [
        succeeded(hours=1),
        failed(hours=1),
        succeeded_again(hours=2),
        failed_again(hours=2),
        failed(hours=30),
    ]

    (scan,) = plan_of(rows).scans
    (twice,) = plan_of([row for row in rows for _ in range(2)]).scans

    assert (scan.scanned, scan.failed_deliveries) == (5, 3)
    assert (twice.scanned, twice.failed_deliveries) == (10, 6)


def test_ids_beyond_2_to_the_53_stay_exact() -> None:
    (decision,) = plan_of([a_delivery(number=2**62 + 1)]).decisions

    assert decision.delivery.id == 4611686018427387905


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(a_policy(events=EventFilter(("issues",))), id="by its name"),
        pytest.param(a_policy(repositories=repositories(1)), id="by its repository"),
    ],
)
def test_the_original_of_a_filtered_event_is_not_searched(policy: Policy) -> None:
    log = [a_delivery("old-90", at=ago(hours=1), redelivery=True), *BEFORE]

    planned = plan_of(log, policy=policy)

    assert planned.scans[0].scanned == 1 + 100


def test_an_original_beyond_the_horizon_may_still_be_in_the_log() -> None:
    """Nothing is read beyond `give_up_after`, so the log may still have it."""
    old = [delivered(f"old-{n}", at=ago(hours=7), number=n) for n in range(100)]
    original = a_delivery("a", at=ago(hours=8), number=1000)
    again = a_delivery("a", at=ago(hours=1), number=2000, redelivery=True)
    policy = a_policy(give_up_after=timedelta(hours=6))

    (beyond,) = scan_of([again, *old, original], policy=policy).decisions
    (gone,) = scan_of([again], policy=policy).decisions

    assert (beyond.verdict, gone.verdict) == (Verdict.TOO_OLD, Verdict.EXPIRED)
    assert not beyond.has_all_attempts
    assert not gone.has_all_attempts


def test_a_misplaced_old_row_does_not_end_the_search() -> None:
    log = [
        a_delivery("sought", at=ago(hours=1), redelivery=True, number=9),
        *(delivered(f"old-{n}", at=ago(hours=8)) for n in range(100)),
        delivered("astray", at=ago(hours=80)),
        a_delivery("sought", at=ago(hours=10), number=3),
    ]

    (decision,) = plan_of(log).decisions

    assert (decision.verdict, decision.attempts) == (Verdict.REDELIVER, 2)
