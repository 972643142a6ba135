"""What `scan: failures` reads, and that it decides as the full scan does."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.checkpoint import OVERLAP
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.event_filter import EventFilter
from redeliver.core.policy import ScanMode
from redeliver.core.scan import OLD_ROWS_AT_END, ScanResult, scan_log
from redeliver.errors import UnavailableError
from tests.support.builders import (
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
    succeeded,
    succeeded_again,
)

WINDOW = a_window(ago(hours=10))
POLICY = a_policy(give_up_after=timedelta(hours=48))


class Listings:
    """A log that counts what is taken of each of its parts, and may break off in one."""

    def __init__(
        self, rows: Iterable[Delivery], *, breaks_off_in: StatusFilter | None = None
    ) -> None:
        newest_first = sorted(rows, key=lambda row: (row.delivered_at, row.id), reverse=True)
        self.log = a_log(newest_first)
        self.breaks_off_in = breaks_off_in
        self.taken = Counter[StatusFilter]()

    def __call__(self, listed: StatusFilter) -> Iterator[Delivery]:
        for row in self.log(listed):
            self.taken[listed] += 1
            yield row
        if listed is self.breaks_off_in:
            raise UnavailableError("GitHub is down")


def failures_of(log: Listings, scan: ScanMode = ScanMode.FAILURES) -> ScanResult:
    return scan_log(WEBHOOK, log, WINDOW, POLICY, scan)


def verdicts(scan: ScanResult) -> dict[str, Verdict]:
    return {each.delivery.guid: each.verdict for each in scan.decisions}


SUCCESSES = [delivered(f"fine-{n}", at=ago(minutes=3 * n), number=n) for n in range(1200)]
"""One every three minutes, for 60 hours."""


def test_a_log_without_failures_is_not_read_further() -> None:
    log = Listings(SUCCESSES)

    assert failures_of(log).decisions == ()
    assert log.taken == {}


def test_successes_are_read_back_to_the_oldest_candidate() -> None:
    log = Listings([*SUCCESSES, a_delivery("young", at=ago(hours=1)), a_delivery(at=ago(hours=3))])

    assert verdicts(failures_of(log)) == {"young": Verdict.REDELIVER, "guid-1": Verdict.REDELIVER}
    assert log.taken == {StatusFilter.FAILURES: 2, StatusFilter.SUCCESSES: 61 + OLD_ROWS_AT_END}


def test_reading_ends_once_all_candidates_were_delivered() -> None:
    failed = [a_delivery("a", at=ago(hours=3)), a_delivery("b", at=ago(hours=4))]
    mended = [
        delivered("a", at=ago(hours=2, seconds=9), number=1, redelivery=True),
        delivered("b", at=ago(hours=1, seconds=9), number=2, redelivery=True),
    ]
    log = Listings([*SUCCESSES, *failed, *mended])

    scan = failures_of(log)

    assert set(verdicts(scan).values()) == {Verdict.DELIVERED}
    assert log.taken[StatusFilter.SUCCESSES] == 41 + 2, "two hours of successes and the two"


def test_filtered_and_later_events_cost_no_request() -> None:
    later = a_delivery("later", at=ago(seconds=-9))
    gone = a_delivery("gone", status_code=410)
    log = Listings([*SUCCESSES, later, gone])
    policy = a_policy(skip_status_codes=frozenset({410}))

    scan = scan_log(WEBHOOK, log, WINDOW, policy, ScanMode.FAILURES)

    assert verdicts(scan) == {"gone": Verdict.UNWANTED_STATUS}
    assert log.taken == {StatusFilter.FAILURES: 2}


def test_an_original_that_succeeded_early_is_found() -> None:
    log = Listings([*SUCCESSES, a_delivery("fine-500", at=ago(hours=1), redelivery=True)])

    assert verdicts(failures_of(log)) == {"fine-500": Verdict.DELIVERED}
    assert log.taken == {StatusFilter.FAILURES: 1, StatusFilter.SUCCESSES: 501}


def test_an_original_that_no_filter_lists_is_found() -> None:
    original = a_delivery("odd", at=ago(hours=20), status="failed", status_code=0, number=1)
    log = Listings([*SUCCESSES, original, a_delivery("odd", at=ago(hours=1), redelivery=True)])

    (decision,) = failures_of(log).decisions

    assert (decision.verdict, decision.attempts) == (Verdict.REDELIVER, 2)
    assert log.taken[StatusFilter.ALL] == 403


def test_a_server_that_ignores_the_filter_is_read_in_full() -> None:
    rows = [*SUCCESSES[:400], a_delivery(at=ago(hours=3)), a_delivery("odd", status_code=0)]
    taken = Counter[StatusFilter]()

    def ignorant(listed: StatusFilter) -> Iterator[Delivery]:
        taken[listed] += 1
        return a_log(sorted(rows, key=lambda row: row.delivered_at, reverse=True))(StatusFilter.ALL)

    scan = scan_log(WEBHOOK, ignorant, WINDOW, POLICY, ScanMode.FAILURES)

    assert verdicts(scan) == {"guid-1": Verdict.REDELIVER, "odd": Verdict.REDELIVER}
    assert taken == {StatusFilter.FAILURES: 1, StatusFilter.ALL: 1}
    assert scan.unclassified == 1


@pytest.mark.parametrize("part", [StatusFilter.FAILURES, StatusFilter.SUCCESSES])
def test_an_event_is_undecided_while_a_success_may_be_unread(part: StatusFilter) -> None:
    log = Listings([a_delivery("a"), a_delivery("gone", status_code=410)], breaks_off_in=part)
    policy = a_policy(skip_status_codes=frozenset({410}))

    scan = scan_log(WEBHOOK, log, WINDOW, policy, ScanMode.FAILURES)

    assert verdicts(scan) == {"a": Verdict.UNREAD, "gone": Verdict.UNWANTED_STATUS}
    assert str(scan.error) == "GitHub is down"


@pytest.mark.parametrize(
    ("code", "is_unclassified"), [(0, True), (302, True), (399, True), (400, False), (599, False)]
)
def test_a_full_scan_counts_what_the_filter_would_miss(code: int, *, is_unclassified: bool) -> None:
    log = Listings([*SUCCESSES, a_delivery(status="failed", status_code=code)])

    assert failures_of(log, ScanMode.FULL).unclassified == is_unclassified
    assert bool(failures_of(log).decisions) == (not is_unclassified)


def test_an_event_with_one_listed_failure_is_not_unclassified() -> None:
    log = Listings(
        [
            a_delivery("a", at=ago(hours=1), redelivery=True, status="failed", status_code=0),
            a_delivery("a", at=ago(hours=2), number=1),
            delivered("b", at=ago(hours=1), redelivery=True),
            a_delivery("b", at=ago(hours=2), status="failed", status_code=0),
        ]
    )

    assert failures_of(log, ScanMode.FULL).unclassified == 0


SOME = SUCCESSES[::20]


@st.composite
def logs(draw: st.DrawFn, codes: st.SearchStrategy[int]) -> list[Delivery]:
    """Draw the attempts at a few events, none older than is wanted."""
    events = draw(
        st.lists(st.lists(st.tuples(st.integers(-5, 2880), codes), min_size=1, max_size=4))
    )
    return [
        a_delivery(
            f"event-{number}",
            at=ago(minutes=minutes),
            number=1_000_000 + 10 * number + place,
            redelivery=place > 0,
            status="OK" if code == 200 else "failed",
            status_code=code,
        )
        for number, attempts in enumerate(events)
        for place, (minutes, code) in enumerate(
            sorted(attempts, key=lambda attempt: attempt[0], reverse=True)
        )
    ]


@given(logs(st.sampled_from([200, 404, 500])))
def test_both_scans_redeliver_the_same(rows: list[Delivery]) -> None:
    def due(scan: ScanMode) -> list[tuple[str, int]]:
        decisions = failures_of(Listings([*SOME, *rows]), scan).decisions
        return [
            (each.delivery.guid, each.attempts)
            for each in sorted(decisions, key=lambda each: each.delivery.guid)
            if each.verdict is Verdict.REDELIVER
        ]

    assert due(ScanMode.FAILURES) == due(ScanMode.FULL)


@given(logs(st.sampled_from([200, 0, 302, 500])))
def test_a_scan_of_failures_never_repeats_a_delivered_event(
    rows: list[Delivery],
) -> None:
    full, of_failures = (
        verdicts(failures_of(Listings([*SOME, *rows]), scan))
        for scan in (ScanMode.FULL, ScanMode.FAILURES)
    )

    for guid, verdict in of_failures.items():
        assert verdict is not Verdict.REDELIVER or full.get(guid) is not Verdict.DELIVERED


@pytest.mark.parametrize(
    ("log", "why"),
    [
        pytest.param([], "an empty log", id="an empty log"),
        pytest.param([succeeded(hours=1)], "nothing failed", id="delivered at once"),
        pytest.param(
            [succeeded_again(hours=1), succeeded(hours=2)], "nothing failed", id="delivered twice"
        ),
        pytest.param(
            [a_delivery(at=ago(hours=6) - OVERLAP - timedelta(milliseconds=1))],
            "it was the previous run's",
            id="failed before the window",
        ),
        pytest.param([a_delivery(at=ago(seconds=-1))], "it is the next run's", id="failed since"),
        pytest.param(
            [a_delivery(at=ago(seconds=-1), redelivery=True), failed(hours=1)],
            "it is the next run's",
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


class CountedLog:
    """A log that counts how many rows were taken from it."""

    def __init__(self, *rows: Delivery) -> None:
        self.rows = rows
        self.taken = 0

    def __iter__(self) -> Iterator[Delivery]:
        for row in self.rows:
            self.taken += 1
            yield row


BEFORE = [delivered(f"old-{n}", at=ago(hours=8 + n)) for n in range(100)]


@pytest.mark.parametrize(
    ("inside", "taken"),
    [
        pytest.param([delivered()], 1 + OLD_ROWS_AT_END, id="nothing failed"),
        pytest.param([a_delivery()], 1 + OLD_ROWS_AT_END, id="an original failed"),
        pytest.param(
            [delivered(at=ago(hours=1), redelivery=True)],
            1 + OLD_ROWS_AT_END,
            id="a redelivery succeeded",
        ),
        pytest.param(
            [failed_again(hours=1), failed(hours=2)],
            2 + OLD_ROWS_AT_END,
            id="a redelivery failed and its original shows",
        ),
        pytest.param(
            [a_delivery("old-40", at=ago(hours=1), redelivery=True)],
            1 + 41,
            id="a redelivery failed and its original is old: read to it",
        ),
        pytest.param(
            [a_delivery("expired", redelivery=True)],
            1 + 65 + OLD_ROWS_AT_END,
            id="the original is older than it may be: read to what is too old",
        ),
    ],
)
def test_the_log_is_read_no_further_than_needed(inside: list[Delivery], taken: int) -> None:
    log = CountedLog(*inside, *BEFORE)

    plan_of(log, a_window())

    assert log.taken == taken


def test_failures_before_the_window_are_ignored() -> None:
    log = [
        a_delivery("seeks its original", at=ago(hours=1), redelivery=True, number=3),
        a_delivery("dealt with by an earlier run", at=ago(hours=20), number=2),
        a_delivery("seeks its original", at=ago(hours=30), number=1),
    ]

    decisions = plan_of(log).decisions

    assert [d.delivery.guid for d in decisions] == ["seeks its original"]


def test_misplaced_rows_hide_no_failure() -> None:
    stray = [delivered(f"late-{n}", at=ago(hours=30)) for n in range(OLD_ROWS_AT_END - 1)]

    decisions = plan_of([*stray, a_delivery("behind them")]).decisions

    assert [d.delivery.guid for d in decisions] == ["behind them"]


@st.composite
def sorted_logs(draw: st.DrawFn) -> list[Delivery]:
    """Draw the attempts at a few events, in the order of time."""
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
    within = a_window(ago(hours=10))
    again = data.draw(st.lists(st.sampled_from(log))) if log else []
    shuffled = data.draw(st.permutations([*log, *again]))

    def due(rows: list[Delivery]) -> list[Decision]:
        decisions = plan_of(rows, within).decisions
        return [each for each in decisions if each.verdict is Verdict.REDELIVER]

    assert due(shuffled) == due(log)


def test_a_partly_read_log_gives_the_decisions_it_allows() -> None:
    def broken() -> Iterator[Delivery]:
        yield a_delivery("again", at=ago(minutes=30), redelivery=True)
        yield a_delivery("whole", at=ago(hours=1))
        raise UnavailableError("GitHub is down")

    planned = plan_of(broken())

    assert [(d.delivery.guid, d.verdict) for d in planned.decisions] == [
        ("whole", Verdict.REDELIVER),
        ("again", Verdict.UNREAD),
    ]
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


def test_ids_beyond_2_to_the_53_stay_exact() -> None:
    (decision,) = plan_of([a_delivery(number=2**62 + 1)]).decisions

    assert decision.delivery.id == 4611686018427387905


def test_the_original_of_a_filtered_event_is_not_searched() -> None:
    log = CountedLog(a_delivery("old-90", at=ago(hours=1), redelivery=True), *BEFORE)

    plan_of(log, policy=a_policy(events=EventFilter(("issues",))))

    assert log.taken == 1 + OLD_ROWS_AT_END


def test_a_misplaced_old_row_does_not_end_the_search() -> None:
    log = [
        a_delivery("sought", at=ago(hours=1), redelivery=True, number=9),
        *(delivered(f"old-{n}", at=ago(hours=8)) for n in range(OLD_ROWS_AT_END)),
        delivered("astray", at=ago(hours=80)),
        a_delivery("sought", at=ago(hours=10), number=3),
    ]

    (decision,) = plan_of(log).decisions

    assert (decision.verdict, decision.attempts) == (Verdict.REDELIVER, 2)
