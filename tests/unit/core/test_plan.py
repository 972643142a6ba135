"""What is decided about each event: the truth table, and what holds for all of a plan."""

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeliver.core.checkpoint import MAX_SILENCE, OVERLAP, SETTLING_TIME, Window
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, Webhook
from redeliver.core.events import EventFilter
from redeliver.core.plan import Plan
from redeliver.core.policy import Policy, ScanMode
from redeliver.core.scan import OLD_ROWS_AT_END, ScanResult, scan_log
from redeliver.engine.checkpointing import SAVE_INTERVAL
from redeliver.errors import UnavailableError
from redeliver.github_api.throttle import MAX_WAIT_SECONDS
from tests.support.builders import (
    NOW,
    WEBHOOK,
    a_delivery,
    a_log,
    a_policy,
    a_webhook,
    a_window,
    ago,
    delivered,
)

CHECKPOINT = ago(hours=6)
NUMBERS = itertools.count(2**62)
POLICY = a_policy(give_up_after=timedelta(days=3), max_attempts=4)


def the_plan(
    log: Iterable[Delivery],
    window: Window | None = None,
    policy: Policy = POLICY,
) -> Plan:
    return Plan.of([a_scan(log, window=window, policy=policy)], policy)


def a_scan(
    log: Iterable[Delivery],
    *,
    webhook: Webhook = WEBHOOK,
    window: Window | None = None,
    policy: Policy = POLICY,
) -> ScanResult:
    window = window or a_window(CHECKPOINT)
    return scan_log(webhook, a_log(log), window, policy, ScanMode.FULL)


def failed(**hours: float) -> Delivery:
    return a_delivery(at=ago(**hours), number=next(NUMBERS))


def failed_again(**hours: float) -> Delivery:
    return a_delivery(at=ago(**hours), number=next(NUMBERS), redelivery=True)


def taken(**hours: float) -> Delivery:
    return delivered(at=ago(**hours), number=next(NUMBERS))


def taken_at_last(**hours: float) -> Delivery:
    return delivered(at=ago(**hours), number=next(NUMBERS), redelivery=True)


TRUTH = {
    "it failed": ([failed(hours=1)], Verdict.REDELIVER),
    "it failed, and again when it was redelivered": (
        [failed_again(hours=1), failed(hours=2)],
        Verdict.REDELIVER,
    ),
    "it failed long before the window, and now again": (
        [failed_again(hours=1), failed(hours=50)],
        Verdict.REDELIVER,
    ),
    "it failed when the last run had just begun to look": (
        [failed(hours=6, minutes=10)],
        Verdict.REDELIVER,
    ),
    "it failed, and was taken when it was redelivered": (
        [taken_at_last(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "it was taken at once, redelivered by hand without need, and that failed": (
        [failed_again(hours=1), taken(hours=2)],
        Verdict.DELIVERED,
    ),
    "the same, and it was taken long before the window": (
        [failed_again(hours=1), taken(hours=50)],
        Verdict.DELIVERED,
    ),
    "it was taken by an attempt between the first and the last": (
        [failed_again(hours=1), taken_at_last(hours=40), failed(hours=50)],
        Verdict.DELIVERED,
    ),
    "its first attempt has left the log": ([failed_again(hours=1)], Verdict.TOO_OLD),
    "its first attempt is exactly as old as it may be": (
        [failed_again(hours=1), failed(hours=72)],
        Verdict.REDELIVER,
    ),
    "its first attempt is a moment older than it may be": (
        [failed_again(hours=1), failed(hours=72, seconds=1)],
        Verdict.TOO_OLD,
    ),
    "it was taken once, so that it does not matter how old it is": (
        [failed_again(hours=1), taken_at_last(hours=2), failed(hours=80)],
        Verdict.DELIVERED,
    ),
    "it has one attempt left": (
        [failed_again(hours=1), failed_again(hours=2), failed(hours=3)],
        Verdict.REDELIVER,
    ),
    "it is out of attempts": (
        [failed_again(hours=1), failed_again(hours=2), failed_again(hours=3), failed(hours=4)],
        Verdict.EXHAUSTED,
    ),
    "it is out of attempts, but a page that repeats a row does not count": (
        [failed_again(hours=1), *[failed_again(hours=2)] * 3, failed(hours=3)],
        Verdict.REDELIVER,
    ),
}


@pytest.mark.parametrize("case", TRUTH)
def test_the_verdict_on_an_event_of_which_the_log_says(case: str) -> None:
    log, verdict = TRUTH[case]

    (decision,) = the_plan(log).decisions

    assert decision.verdict is verdict
    assert decision.delivery == log[0], "the newest attempt"


SOON = {
    "it failed before another run wrote the checkpoint, a minute ago": (
        timedelta(minutes=2),
        timedelta(minutes=1),
        Verdict.UNSETTLED,
    ),
    "the same, but that run wrote just long enough ago": (
        SETTLING_TIME,
        SETTLING_TIME,
        Verdict.REDELIVER,
    ),
    "it failed after another run wrote the checkpoint": (
        timedelta(minutes=1),
        timedelta(minutes=2),
        Verdict.REDELIVER,
    ),
    "it failed in the second in which another run wrote": (
        timedelta(minutes=1),
        timedelta(minutes=1),
        Verdict.UNSETTLED,
    ),
}


@pytest.mark.parametrize("case", SOON)
def test_the_verdict_soon_after_another_run_when(case: str) -> None:
    failed_ago, written_ago, verdict = SOON[case]
    window = a_window(NOW - SETTLING_TIME, written=NOW - written_ago)

    (decision,) = the_plan([a_delivery(at=NOW - failed_ago)], window).decisions

    assert decision.verdict is verdict


def test_a_run_is_silent_for_as_long_as_it_saves_seldom_and_waits() -> None:
    assert timedelta(seconds=MAX_WAIT_SECONDS) + SAVE_INTERVAL == MAX_SILENCE


def test_nothing_is_asked_for_while_anything_is_unsettled() -> None:
    window = a_window(ago(minutes=5), written=ago(minutes=2))
    log = [
        a_delivery("new", at=ago(minutes=1), number=3),
        a_delivery("old", at=ago(minutes=3), number=2),
        a_delivery("too old", at=ago(minutes=4), number=1, redelivery=True),
    ]

    planned = the_plan(log, window)

    verdicts = {d.delivery.guid: d.verdict for d in planned.decisions}
    assert verdicts == {
        "new": Verdict.UNSETTLED,
        "old": Verdict.UNSETTLED,
        "too old": Verdict.TOO_OLD,
    }
    assert planned.is_unsettled
    assert not planned.due


@pytest.mark.parametrize(
    ("log", "why"),
    [
        pytest.param([], "an empty log", id="an empty log"),
        pytest.param([taken(hours=1)], "nothing failed", id="delivered at once"),
        pytest.param(
            [taken_at_last(hours=1), taken(hours=2)], "nothing failed", id="delivered twice"
        ),
        pytest.param(
            [a_delivery(at=CHECKPOINT - OVERLAP - timedelta(milliseconds=1))],
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
def test_there_is_nothing_to_decide_for(log: list[Delivery], why: str) -> None:
    assert the_plan(log).decisions == (), why


def test_without_a_checkpoint_the_window_is_the_lookback() -> None:
    log = [a_delivery("in", at=ago(hours=24)), a_delivery("out", at=ago(hours=24, seconds=1))]

    decisions = the_plan(log, a_window(None)).decisions

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

    decisions = the_plan(log).decisions

    assert [d.delivery.guid for d in decisions] == ["a redelivery", "a", "b", "c"]


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
def test_no_more_of_the_log_is_read_than_needed(inside: list[Delivery], taken: int) -> None:
    log = CountedLog(*inside, *BEFORE)

    the_plan(log, a_window())

    assert log.taken == taken


def test_failures_before_the_window_are_not_touched_while_reading_past_it() -> None:
    log = [
        a_delivery("seeks its original", at=ago(hours=1), redelivery=True, number=3),
        a_delivery("dealt with by an earlier run", at=ago(hours=20), number=2),
        a_delivery("seeks its original", at=ago(hours=30), number=1),
    ]

    decisions = the_plan(log).decisions

    assert [d.delivery.guid for d in decisions] == ["seeks its original"]


def test_a_few_rows_out_of_place_hide_nothing() -> None:
    stray = [delivered(f"late-{n}", at=ago(hours=30)) for n in range(OLD_ROWS_AT_END - 1)]

    decisions = the_plan([*stray, a_delivery("behind them")]).decisions

    assert [d.delivery.guid for d in decisions] == ["behind them"]


@st.composite
def logs(draw: st.DrawFn) -> list[Delivery]:
    """Draw the attempts at a few events, in the order of time."""
    events = draw(
        st.lists(st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=4))
    )
    rows = []
    for number, attempts in enumerate(events):
        for place, (minutes, succeeded) in enumerate(sorted(attempts, reverse=True)):
            rows.append(
                a_delivery(
                    f"event-{number}",
                    at=ago(minutes=minutes),
                    number=1000 * number + place,
                    redelivery=place > 0,
                    status_code=200 if succeeded else 500,
                )
            )
    return sorted(rows, key=lambda row: (row.delivered_at, row.id), reverse=True)


@given(logs(), st.data())
def test_rows_out_of_order_or_told_twice_have_the_same_events_redelivered(
    log: list[Delivery], data: st.DataObject
) -> None:
    within = a_window(ago(hours=10))
    again = data.draw(st.lists(st.sampled_from(log))) if log else []
    shuffled = data.draw(st.permutations([*log, *again]))

    def due(rows: list[Delivery]) -> list[Decision]:
        decisions = the_plan(rows, within).decisions
        return [each for each in decisions if each.verdict is Verdict.REDELIVER]

    assert due(shuffled) == due(log)


def test_a_log_that_breaks_off_gives_the_decisions_that_need_no_more_of_it() -> None:
    def broken() -> Iterator[Delivery]:
        yield a_delivery("again", at=ago(minutes=30), redelivery=True)
        yield a_delivery("whole", at=ago(hours=1))
        raise UnavailableError("GitHub is down")

    planned = the_plan(broken())

    assert [(d.delivery.guid, d.verdict) for d in planned.decisions] == [
        ("whole", Verdict.REDELIVER),
        ("again", Verdict.UNREAD),
    ]
    assert str(planned.scans[0].error) == "GitHub is down"
    assert planned.is_incomplete
    assert not planned.scans[0].is_unread


def test_a_log_that_cannot_be_read_at_all_is_unread() -> None:
    def down() -> Iterator[Delivery]:
        raise UnavailableError("GitHub is down")
        yield

    (scan,) = the_plan(down()).scans

    assert scan.is_unread


def test_an_event_fails_since_its_original() -> None:
    (decision,) = the_plan([failed_again(hours=1), failed(hours=50)]).decisions

    assert decision.failing_since == ago(hours=50)


def test_rows_read_are_counted() -> None:
    assert the_plan([delivered("a"), delivered("b"), *BEFORE[:3]]).scans[0].scanned == 5


def test_ids_beyond_2_to_the_53_stay_exact() -> None:
    (decision,) = the_plan([a_delivery(number=2**62 + 1)]).decisions

    assert decision.delivery.id == 4611686018427387905


@pytest.mark.parametrize(
    ("checkpoint", "unseen"),
    [
        pytest.param(None, None, id="a first run"),
        pytest.param(ago(hours=72) + OVERLAP, None, id="a window as old as the log"),
        pytest.param(
            ago(hours=73), (ago(hours=73) - OVERLAP, ago(hours=72)), id="a checkpoint older than it"
        ),
        pytest.param(
            ago(hours=72), (ago(hours=72) - OVERLAP, ago(hours=72)), id="only late rows are missed"
        ),
    ],
)
def test_deliveries_may_have_left_the_log_unseen(
    checkpoint: datetime | None, unseen: tuple[datetime, datetime] | None
) -> None:
    assert a_window(checkpoint).unseen(timedelta(days=3)) == unseen


FILTERED = {
    "an event that is not wanted": (
        a_policy(events=EventFilter(("issues",))),
        [failed(hours=1)],
        Verdict.UNWANTED_EVENT,
    ),
    "an event that is wanted": (
        a_policy(events=EventFilter(("push",))),
        [failed(hours=1)],
        Verdict.REDELIVER,
    ),
    "a status code to skip": (
        a_policy(skip_status_codes=frozenset({504})),
        [failed(hours=1)],
        Verdict.UNWANTED_STATUS,
    ),
    "a status code to skip, but only at an earlier attempt": (
        a_policy(skip_status_codes=frozenset({410})),
        [failed_again(hours=1), a_delivery(at=ago(hours=2), status_code=410)],
        Verdict.REDELIVER,
    ),
    "an event that is not wanted, and was taken": (
        a_policy(events=EventFilter(("issues",))),
        [taken_at_last(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "an event that is not wanted, and is too old": (
        a_policy(events=EventFilter(("issues",))),
        [failed_again(hours=1)],
        Verdict.UNWANTED_EVENT,
    ),
}


@pytest.mark.parametrize("case", FILTERED)
def test_the_verdict_on(case: str) -> None:
    policy, log, verdict = FILTERED[case]

    (decision,) = the_plan(log, policy=policy).decisions

    assert decision.verdict is verdict


def test_the_original_of_an_event_that_is_not_wanted_is_not_looked_for() -> None:
    log = CountedLog(a_delivery("old-90", at=ago(hours=1), redelivery=True), *BEFORE)

    the_plan(log, policy=a_policy(events=EventFilter(("issues",))))

    assert log.taken == 1 + OLD_ROWS_AT_END


def test_a_row_out_of_place_that_is_too_old_does_not_end_the_search_for_an_original() -> None:
    log = [
        a_delivery("sought", at=ago(hours=1), redelivery=True, number=9),
        *(delivered(f"old-{n}", at=ago(hours=8)) for n in range(OLD_ROWS_AT_END)),
        delivered("astray", at=ago(hours=80)),
        a_delivery("sought", at=ago(hours=10), number=3),
    ]

    (decision,) = the_plan(log).decisions

    assert (decision.verdict, decision.attempts) == (Verdict.REDELIVER, 2)


def test_when_too_many_are_due_the_least_tried_come_first_and_then_the_oldest() -> None:
    log = [
        a_delivery("new", at=ago(hours=1), number=9),
        a_delivery("tried twice", at=ago(hours=2), number=8, redelivery=True),
        a_delivery("newer", at=ago(hours=3), number=7),
        a_delivery("tried twice", at=ago(hours=5), number=6),
        a_delivery("old", at=ago(hours=4), number=5),
    ]

    planned = the_plan(log, policy=a_policy(max_redeliveries=2))

    assert [d.delivery.guid for d in planned.due] == ["old", "newer"]
    left = {d.delivery.guid for d in planned.decisions if d.verdict is Verdict.SURPLUS}
    assert left == {"tried twice", "new"}


def test_webhooks_that_share_a_guid_are_judged_each_for_itself() -> None:
    other, window = a_webhook(2), a_window(CHECKPOINT)
    scans = [
        a_scan([a_delivery("shared", at=ago(hours=1))], window=window),
        a_scan([delivered("shared", at=ago(hours=1))], webhook=other, window=window),
        a_scan(
            [a_delivery("shared", at=ago(hours=2), number=7)], webhook=a_webhook(3), window=window
        ),
    ]

    due = Plan.of(scans, POLICY).due

    assert [(d.webhook, d.delivery.id) for d in due] == [(a_webhook(3), 7), (WEBHOOK, 2**62 + 1)]


def test_too_many_are_counted_over_all_webhooks() -> None:
    policy = a_policy(max_redeliveries=1)
    scans = [
        a_scan(
            [a_delivery("shared", at=ago(hours=n))],
            webhook=a_webhook(n),
            policy=policy,
        )
        for n in (1, 2)
    ]

    assert [d.webhook for d in Plan.of(scans, policy).due] == [a_webhook(2)]


def test_when_too_many_are_due_the_webhooks_take_turns() -> None:
    window, policy = a_window(CHECKPOINT), a_policy(max_redeliveries=4)
    many = [a_delivery(f"many-{n}", at=ago(hours=5, minutes=-n), number=n) for n in range(6)]
    few = [a_delivery(f"few-{n}", at=ago(hours=1, minutes=-n), number=n) for n in range(2)]
    scans = [
        a_scan(many, window=window, policy=policy),
        a_scan(few, webhook=a_webhook(2), window=window, policy=policy),
    ]

    planned = Plan.of(scans, policy)

    assert [d.delivery.guid for d in planned.due] == ["many-0", "many-1", "few-0", "few-1"]
    assert [d.delivery.guid for d in planned.surplus] == [f"many-{n}" for n in range(2, 6)]


def test_nothing_of_any_webhook_is_asked_for_while_anything_of_one_is_unsettled() -> None:
    window = a_window(ago(minutes=5), written=ago(minutes=2))
    scans = [
        a_scan([a_delivery("new", at=ago(minutes=1))], window=window),
        a_scan([a_delivery("old", at=ago(minutes=3))], webhook=a_webhook(2), window=window),
    ]

    assert Plan.of(scans, POLICY).due == ()
