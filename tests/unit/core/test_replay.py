"""A replay redelivers what failed in a time range, or the events that its user names."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from redeliver.core.decision import Verdict, decide
from redeliver.core.delivery import Delivery, Guid
from redeliver.core.event_filter import EventFilter
from redeliver.core.plan import Plan
from redeliver.core.policy import Moment, Policy
from redeliver.core.unreadable import UnreadableRow
from redeliver.core.window import Window
from redeliver.errors import InputError
from tests.support.builders import (
    NOW,
    WEBHOOK,
    a_delivery,
    a_policy,
    ago,
    delivered,
    failed,
    failed_again,
    plan_of,
    scan_of,
    succeeded,
    succeeded_again,
)


def a_range(since: Moment | None, until: Moment | None = None) -> Window:
    return Window.of_replay(since, until, now=NOW)


LAST_NIGHT = a_range(ago(hours=14), ago(hours=6))
AGAIN = a_policy(include_delivered=True)
NAMED = a_policy(guids=frozenset({Guid("guid-1")}))


@pytest.mark.parametrize(
    ("since", "until", "start", "end"),
    [
        (timedelta(hours=6), None, ago(hours=6), NOW),
        (timedelta(hours=6), timedelta(hours=2), ago(hours=6), ago(hours=2)),
        (ago(hours=6), timedelta(hours=2), ago(hours=6), ago(hours=2)),
        (ago(hours=6), ago(hours=-2), ago(hours=6), NOW),
        (None, None, ago(days=30), NOW),
    ],
)
def test_a_range_is_relative_to_githubs_time(
    since: Moment | None, until: Moment | None, start: datetime, end: datetime
) -> None:
    window = a_range(since, until)

    assert (window.saved, window.since, window.until, window.now) == (None, start, end, NOW)


def test_a_range_may_have_to_end_before_the_run_starts() -> None:
    """Then what the run itself redelivers is outside the range for certain."""
    minute = timedelta(minutes=1)

    assert Window.of_replay(ago(hours=1), None, now=NOW, margin=minute).until == ago(minutes=1)
    assert Window.of_replay(ago(hours=1), ago(minutes=9), now=NOW, margin=minute).until == ago(
        minutes=9
    )


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        (ago(hours=-1), None, "'since' must be before the start of this run"),
        (ago(hours=-1), ago(hours=-2), "'since' must be before the start of this run"),
        (timedelta(hours=1), ago(hours=1), "'until' must be later than 'since'"),
        (timedelta(hours=1), ago(hours=2), "'until' must be later than 'since'"),
    ],
)
def test_a_range_without_a_past_is_an_error(
    since: Moment, until: Moment | None, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        a_range(since, until)


def verdicts(log: list[Delivery], policy: Policy, window: Window = LAST_NIGHT) -> list[Verdict]:
    return [decision.verdict for decision in plan_of(log, window, policy).decisions]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([failed(hours=10)], [Verdict.REDELIVER], id="it failed in the range"),
        pytest.param([failed(hours=14)], [Verdict.REDELIVER], id="at its very start"),
        pytest.param([failed(hours=6)], [Verdict.REDELIVER], id="at its very end"),
        pytest.param([failed(hours=5)], [], id="it failed after the range"),
        pytest.param([failed(hours=15)], [], id="it failed before the range"),
        pytest.param(
            [failed_again(hours=1), failed(hours=10)],
            [Verdict.REDELIVER],
            id="it failed in the range, and again after it",
        ),
        pytest.param(
            [succeeded_again(hours=1), failed(hours=10)],
            [Verdict.DELIVERED],
            id="it has been delivered since",
        ),
        pytest.param(
            [failed_again(hours=10), failed(hours=20)],
            [Verdict.REDELIVER],
            id="its redelivery failed in the range",
        ),
        pytest.param(
            [failed_again(hours=10), succeeded(hours=20)],
            [Verdict.DELIVERED],
            id="a needless redelivery failed in the range",
        ),
        pytest.param(
            [failed_again(hours=1), failed(hours=20)], [], id="no attempt is in the range"
        ),
        pytest.param([succeeded(hours=10)], [], id="it was delivered at once"),
    ],
)
def test_a_range_has_the_events_with_a_failure_in_it(
    log: list[Delivery], expected: list[Verdict]
) -> None:
    assert verdicts(log, a_policy()) == expected


def test_an_event_after_the_range_does_not_prolong_the_reading() -> None:
    """An event that failed after the range could have an older original, which does not matter."""
    read = []

    def log() -> Iterator[Delivery]:
        rows = [
            a_delivery("later", at=ago(hours=1), redelivery=True, number=2),
            *(delivered(f"old-{n}", at=ago(hours=20), number=n + 10) for n in range(150)),
        ]
        for row in rows:
            read.append(row)
            yield row

    assert scan_of(log(), window=LAST_NIGHT, policy=a_policy()).decisions == ()
    assert len(read) <= 1 + 100 + 1


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        pytest.param([succeeded(hours=10)], [Verdict.REDELIVER], id="it was delivered at once"),
        pytest.param([succeeded(hours=14)], [Verdict.REDELIVER], id="at the start of the range"),
        pytest.param([succeeded(hours=6)], [Verdict.REDELIVER], id="at the end of the range"),
        pytest.param(
            [succeeded_again(hours=9), failed(hours=10)],
            [Verdict.REDELIVER],
            id="its redelivery succeeded in the range",
        ),
        pytest.param(
            [failed_again(hours=9), succeeded(hours=10)],
            [Verdict.REDELIVER],
            id="a needless redelivery failed",
        ),
        pytest.param(
            [succeeded_again(hours=1), succeeded(hours=10)],
            [],
            id="it has been delivered again after the range",
        ),
        pytest.param(
            [succeeded_again(hours=1), failed(hours=10)],
            [Verdict.DELIVERED],
            id="it failed in the range, and was delivered after it",
        ),
        pytest.param([succeeded(hours=5)], [], id="it was delivered after the range"),
        pytest.param([succeeded(hours=15)], [], id="it was delivered before the range"),
        pytest.param(
            [succeeded_again(hours=10), succeeded(hours=15)],
            [Verdict.REDELIVER],
            id="it was delivered before the range, and in it",
        ),
        pytest.param([failed(hours=10)], [Verdict.REDELIVER], id="it failed"),
    ],
)
def test_delivered_events_of_a_range_may_be_included(
    log: list[Delivery], expected: list[Verdict]
) -> None:
    assert verdicts(log, AGAIN) == expected


@pytest.mark.parametrize(
    ("at", "expected"), [(ago(hours=8), Verdict.REDELIVER), (ago(hours=5), Verdict.DELIVERED)]
)
def test_a_success_that_cannot_be_read_counts_as_one(at: datetime, expected: Verdict) -> None:
    row = UnreadableRow(
        problem="odd", id="1", guid=Guid("guid-1"), succeeded=True, earliest=at, latest=at
    )

    assert decide([failed(hours=10)], LAST_NIGHT, AGAIN, unreadable=[row]) is expected


def test_an_event_that_failed_again_meanwhile_is_of_this_run() -> None:
    """No other run is sure to look at the range of a replay."""
    assert verdicts([failed_again(seconds=-2), failed(hours=10)], a_policy()) == [Verdict.REDELIVER]
    assert verdicts([succeeded_again(seconds=-2), failed(hours=10)], a_policy()) == [
        Verdict.DELIVERED
    ]


def test_an_unreadable_row_after_the_range_does_not_matter() -> None:
    def a_row(at: datetime) -> UnreadableRow:
        return UnreadableRow(problem="odd", earliest=at, latest=at)

    assert a_row(ago(hours=8)).matters(LAST_NIGHT)
    assert not a_row(ago(hours=5)).matters(LAST_NIGHT)


def test_filters_hold_for_delivered_events_too() -> None:
    policy = a_policy(include_delivered=True, events=EventFilter(("issues",)))

    assert verdicts([succeeded(hours=10)], policy) == []


def test_an_included_event_is_told_from_a_failed_one() -> None:
    log = [delivered("fine", at=ago(hours=8), number=1), a_delivery("bad", at=ago(hours=9))]

    plan = plan_of(log, LAST_NIGHT, AGAIN)

    assert plan.scans[0].unclassified == 0
    assert {d.delivery.guid: d.was_delivered for d in plan.due} == {"fine": True, "bad": False}


def test_failed_events_come_before_delivered_ones() -> None:
    """So a limit leaves out what has been delivered."""
    log = [
        a_delivery("failed twice", at=ago(hours=7), number=4, redelivery=True),
        a_delivery("failed twice", at=ago(hours=8), number=3),
        delivered("delivered", at=ago(hours=9), number=2),
    ]
    policy = a_policy(include_delivered=True, max_redeliveries=1)

    plan = plan_of(log, LAST_NIGHT, policy)

    assert [d.delivery.guid for d in plan.due] == ["failed twice"]
    assert [d.delivery.guid for d in plan.surplus] == ["delivered"]


@pytest.mark.parametrize(
    "log",
    [
        pytest.param([failed(hours=10)], id="it failed"),
        pytest.param([succeeded(hours=10)], id="it was delivered at once"),
        pytest.param([succeeded_again(hours=1), failed(hours=10)], id="it has been delivered"),
        pytest.param([succeeded_again(hours=1)], id="its first attempt has left the log"),
        pytest.param([failed(days=6)], id="it is older than 'give-up-after'"),
        pytest.param([failed(seconds=-1)], id="it failed since the run began"),
    ],
)
def test_a_named_event_is_redelivered_whatever_became_of_it(log: list[Delivery]) -> None:
    policy = a_policy(
        guids=frozenset({Guid("guid-1")}),
        events=EventFilter(("issues",)),
        skip_status_codes=frozenset({504}),
    )

    plan = plan_of(log, a_range(None), policy)

    assert [decision.delivery for decision in plan.due] == [log[0]], "its newest attempt"


def test_no_other_event_is_redelivered_with_a_named_one() -> None:
    log = [a_delivery("other", at=ago(hours=1), number=1), failed(hours=2)]

    plan = plan_of(log, a_range(None), NAMED)

    assert [decision.delivery.guid for decision in plan.decisions] == ["guid-1"]


def test_a_log_is_read_until_all_named_events_were_found() -> None:
    read = []

    def log() -> Iterator[Delivery]:
        for row in [failed(hours=1), failed(hours=2), failed(hours=3)]:
            read.append(row)
            yield row

    scan = scan_of(log(), window=a_range(None), policy=NAMED)

    assert scan.seen == {"guid-1"}
    assert len(read) == 2, "a page of the fake log is only known to be full with the next row"


def test_a_success_of_a_named_event_may_be_on_a_later_page() -> None:
    log = [failed_again(hours=1), delivered("other", at=ago(hours=2)), succeeded(hours=3)]

    (decision,) = scan_of(log, window=a_range(None), policy=NAMED).decisions

    assert decision.was_delivered
    assert (decision.attempts, decision.has_all_attempts) == (2, True)


def test_a_named_event_is_sought_no_further_back_than_the_range() -> None:
    rows = [delivered(f"old-{n}", at=ago(hours=20), number=n + 10) for n in range(150)]

    scan = scan_of([*rows, failed(hours=30)], window=LAST_NIGHT, policy=NAMED)

    assert scan.seen == frozenset()
    assert scan.scanned == 100


def test_a_plan_for_webhooks_that_are_off_defers_named_events() -> None:
    off = replace(WEBHOOK, is_active=False)
    scan = scan_of([failed(hours=1)], webhook=off, window=a_range(None), policy=NAMED)

    plan = Plan.of([scan], a_range(None), NAMED)

    assert [decision.verdict for decision in plan.decisions] == [Verdict.SWITCHED_OFF]


def test_an_event_that_was_delivered_again_hides_no_other() -> None:
    log = [
        delivered("again", at=ago(hours=1), number=3, redelivery=True),
        delivered("again", at=ago(hours=10), number=2),
        a_delivery("bad", at=ago(hours=11), number=1),
    ]

    assert [d.delivery.guid for d in plan_of(log, LAST_NIGHT, AGAIN).due] == ["bad"]


def test_only_a_range_up_to_now_tells_how_a_receiver_works() -> None:
    """Up to a minute ago, because a run that includes delivered events leaves out the last one."""
    log = [succeeded(hours=1)]
    now, a_minute_ago = a_range(ago(hours=2)), a_range(ago(hours=2), ago(minutes=1))
    earlier = a_range(ago(hours=2), ago(minutes=1, seconds=1))

    assert scan_of(log, window=now).health
    assert scan_of(log, window=a_minute_ago).health
    assert scan_of(log, window=earlier).health is None
    assert scan_of(log, window=now, policy=NAMED).health is None
