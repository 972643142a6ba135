"""A scan for failures reads fewer rows than a full scan, and decides the same."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.pages import Page
from redeliver.core.policy import ScanMode
from redeliver.core.scan import ScanResult
from redeliver.errors import UnavailableError
from tests.support.builders import (
    a_delivery,
    a_log,
    a_policy,
    a_window,
    ago,
    delivered,
    scan_log,
)

WINDOW = a_window(ago(hours=10))
POLICY = a_policy(give_up_after=timedelta(hours=48))


class Listings:
    """A log that counts the rows read with each filter, and may break off with one of them."""

    def __init__(
        self, rows: Iterable[Delivery], *, breaks_off_with: StatusFilter | None = None
    ) -> None:
        newest_first = sorted(rows, key=lambda row: (row.delivered_at, row.id), reverse=True)
        self.log = a_log(newest_first)
        self.breaks_off_with = breaks_off_with
        self.rows_read = Counter[StatusFilter]()

    def __call__(self, listed: StatusFilter) -> Iterator[Page]:
        for page in self.log(listed):
            self.rows_read[listed] += len(page.rows)
            yield page
        if listed is self.breaks_off_with:
            raise UnavailableError("GitHub is down")


def scanned(log: Listings, mode: ScanMode = ScanMode.FAILURES) -> ScanResult:
    return scan_log(log, WINDOW, POLICY, mode)


def verdicts(scan: ScanResult) -> dict[str, Verdict]:
    return {each.delivery.guid: each.verdict for each in scan.decisions}


SUCCESSES = [delivered(f"fine-{n}", at=ago(minutes=3 * n), number=n) for n in range(1200)]
"""One every three minutes, for 60 hours."""


def test_a_log_without_failures_is_not_read_further() -> None:
    log = Listings(SUCCESSES)

    assert scanned(log).decisions == ()
    assert log.rows_read == {StatusFilter.FAILURES: 0}


def test_successes_are_read_back_to_the_oldest_candidate() -> None:
    log = Listings([*SUCCESSES, a_delivery("young", at=ago(hours=1)), a_delivery(at=ago(hours=3))])

    assert verdicts(scanned(log)) == {"young": Verdict.REDELIVER, "guid-1": Verdict.REDELIVER}
    assert log.rows_read == {StatusFilter.FAILURES: 2, StatusFilter.SUCCESSES: 61 + 100}


def test_reading_ends_once_all_candidates_were_delivered() -> None:
    failed = [a_delivery("a", at=ago(hours=3)), a_delivery("b", at=ago(hours=4))]
    redeliveries = [
        delivered("a", at=ago(hours=2, seconds=9), number=1, redelivery=True),
        delivered("b", at=ago(hours=1, seconds=9), number=2, redelivery=True),
    ]
    log = Listings([*SUCCESSES, *failed, *redeliveries])

    scan = scanned(log)

    assert set(verdicts(scan).values()) == {Verdict.DELIVERED}
    assert log.rows_read[StatusFilter.SUCCESSES] == 41 + 2, "two hours of them and two redeliveries"


def test_filtered_and_later_events_cost_no_request() -> None:
    later = a_delivery("later", at=ago(seconds=-9))
    gone = a_delivery("gone", status_code=410)
    log = Listings([*SUCCESSES, later, gone])
    policy = a_policy(skip_status_codes=frozenset({410}))

    scan = scan_log(log, WINDOW, policy, ScanMode.FAILURES)

    assert verdicts(scan) == {"gone": Verdict.UNWANTED_STATUS}
    assert log.rows_read == {StatusFilter.FAILURES: 2}


def test_an_original_that_succeeded_early_is_found() -> None:
    log = Listings([*SUCCESSES, a_delivery("fine-500", at=ago(hours=1), redelivery=True)])

    assert verdicts(scanned(log)) == {"fine-500": Verdict.DELIVERED}
    assert log.rows_read == {StatusFilter.FAILURES: 1, StatusFilter.SUCCESSES: 501}


def test_an_original_that_no_filter_lists_is_found() -> None:
    original = a_delivery("odd", at=ago(hours=20), status="failed", status_code=0, number=1)
    log = Listings([*SUCCESSES, original, a_delivery("odd", at=ago(hours=1), redelivery=True)])

    (decision,) = scanned(log).decisions

    assert (decision.verdict, decision.attempts) == (Verdict.REDELIVER, 2)
    assert log.rows_read[StatusFilter.ALL] == 403


def test_a_server_that_ignores_the_filter_is_read_in_full() -> None:
    rows = [*SUCCESSES[:400], a_delivery(at=ago(hours=3)), a_delivery("odd", status_code=0)]
    requests = Counter[StatusFilter]()

    def unfiltered(listed: StatusFilter) -> Iterator[Page]:
        requests[listed] += 1
        return a_log(sorted(rows, key=lambda row: row.delivered_at, reverse=True))(StatusFilter.ALL)

    scan = scan_log(unfiltered, WINDOW, POLICY, ScanMode.FAILURES)

    assert verdicts(scan) == {"guid-1": Verdict.REDELIVER, "odd": Verdict.REDELIVER}
    assert requests == {StatusFilter.FAILURES: 1, StatusFilter.ALL: 1}
    assert scan.unclassified == 1


@pytest.mark.parametrize(
    ("listed", "verdict"),
    [(StatusFilter.FAILURES, Verdict.REDELIVER), (StatusFilter.SUCCESSES, Verdict.UNREAD)],
)
def test_an_event_is_undecided_while_a_success_may_be_unread(
    listed: StatusFilter, verdict: Verdict
) -> None:
    log = Listings([a_delivery("a"), a_delivery("gone", status_code=410)], breaks_off_with=listed)
    policy = a_policy(skip_status_codes=frozenset({410}))

    scan = scan_log(log, WINDOW, policy, ScanMode.FAILURES)

    assert verdicts(scan) == {"a": verdict, "gone": Verdict.UNWANTED_STATUS}
    assert str(scan.error) == "GitHub is down"


def test_a_page_of_failures_that_cannot_be_read_hides_no_other() -> None:
    class Broken(Listings):
        def __call__(self, listed: StatusFilter) -> Iterator[Page]:
            pages = super().__call__(listed)
            if listed is StatusFilter.FAILURES:
                yield from islice(pages, 2)
                raise UnavailableError("GitHub is down")
            yield from pages

    log = Broken(
        [
            *SUCCESSES,
            a_delivery("young", at=ago(hours=2)),
            a_delivery("delivered", at=ago(hours=3)),
            delivered("delivered", at=ago(hours=1), redelivery=True),
            a_delivery("not read", at=ago(hours=4)),
        ]
    )

    scan = scanned(log)

    assert verdicts(scan) == {"young": Verdict.REDELIVER, "delivered": Verdict.DELIVERED}
    assert str(scan.error) == "GitHub is down"


def test_events_are_decided_back_to_where_successes_were_read() -> None:
    """The successes could not be read to their end, but far enough for some events."""

    class Limited(Listings):
        def __call__(self, listed: StatusFilter) -> Iterator[Page]:
            pages = super().__call__(listed)
            if listed is StatusFilter.SUCCESSES:
                yield from islice(pages, 50)
                raise UnavailableError("used up")
            yield from pages

    log = Limited(
        [
            *SUCCESSES,
            a_delivery("young", at=ago(hours=2)),
            a_delivery("old", at=ago(hours=3)),
            a_delivery("tried again", at=ago(hours=1), redelivery=True, number=1),
            a_delivery("tried again", at=ago(hours=4), number=2),
        ]
    )

    assert verdicts(scanned(log)) == {
        "young": Verdict.REDELIVER,
        "old": Verdict.UNREAD,
        "tried again": Verdict.UNREAD,
    }


@pytest.mark.parametrize(
    ("code", "is_unclassified"),
    [(0, True), (302, True), (399, True), (400, False), (599, False), (600, True)],
)
def test_a_full_scan_counts_what_the_filter_would_miss(code: int, *, is_unclassified: bool) -> None:
    log = Listings([*SUCCESSES, a_delivery(status="failed", status_code=code)])

    assert scanned(log, ScanMode.FULL).unclassified == is_unclassified
    assert bool(scanned(log).decisions) == (not is_unclassified)


def test_a_server_without_the_filter_gives_all_decisions_so_far() -> None:
    """It lists a success as a failure, so its log is read as in a full scan, newest first."""

    def log(_: StatusFilter) -> Iterator[Page]:
        rows = [delivered("fine", at=ago(minutes=1)), a_delivery("bad", at=ago(hours=1))]
        yield Page(rows=rows, is_last=False)
        raise UnavailableError("GitHub is down")

    scan = scan_log(log, WINDOW, POLICY, ScanMode.FAILURES)

    assert verdicts(scan) == {"bad": Verdict.REDELIVER}
    assert scan.error


def test_an_event_with_one_listed_failure_is_not_unclassified() -> None:
    log = Listings(
        [
            a_delivery("a", at=ago(hours=1), redelivery=True, status="failed", status_code=0),
            a_delivery("a", at=ago(hours=2), number=1),
            delivered("b", at=ago(hours=1), redelivery=True),
            a_delivery("b", at=ago(hours=2), status="failed", status_code=0),
        ]
    )

    assert scanned(log, ScanMode.FULL).unclassified == 0


HOURLY_SUCCESSES = SUCCESSES[::20]


@st.composite
def logs(draw: st.DrawFn, codes: st.SearchStrategy[int]) -> list[Delivery]:
    """Draw the attempts at a few events, none older than the policy allows."""
    events = draw(
        st.lists(st.lists(st.tuples(st.integers(-5, 2880), codes), min_size=1, max_size=4))
    )
    return [
        a_delivery(
            f"event-{number}",
            at=ago(minutes=minutes),
            number=1_000_000 + 10 * number + index,
            redelivery=index > 0,
            status="OK" if code == 200 else "failed",
            status_code=code,
        )
        for number, attempts in enumerate(events)
        for index, (minutes, code) in enumerate(
            sorted(attempts, key=lambda attempt: attempt[0], reverse=True)
        )
    ]


@given(logs(st.sampled_from([200, 404, 500])))
def test_both_scans_redeliver_the_same(rows: list[Delivery]) -> None:
    def due(mode: ScanMode) -> list[tuple[str, int]]:
        decisions = scanned(Listings([*HOURLY_SUCCESSES, *rows]), mode).decisions
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
        verdicts(scanned(Listings([*HOURLY_SUCCESSES, *rows]), mode))
        for mode in (ScanMode.FULL, ScanMode.FAILURES)
    )

    for guid, verdict in of_failures.items():
        assert verdict is not Verdict.REDELIVER or full.get(guid) is not Verdict.DELIVERED
