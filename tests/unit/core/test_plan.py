"""The decisions of all webhooks are combined into one plan."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.plan import Plan, evenly_spaced
from redeliver.core.window import Window
from tests.support.builders import (
    FOUR_ATTEMPTS,
    NOW,
    WEBHOOK,
    a_delivery,
    a_policy,
    a_webhook,
    a_window,
    ago,
    delivered,
    plan_of,
    scan_of,
)


def test_an_event_of_a_run_under_way_holds_back_all_others() -> None:
    window = a_window(ago(minutes=5), written=ago(minutes=2))
    log = [
        a_delivery("new", at=ago(minutes=1), number=3),
        a_delivery("old", at=ago(minutes=3), number=2),
        a_delivery("too old", at=ago(minutes=4), number=1, redelivery=True),
    ]

    planned = plan_of(log, window)

    verdicts = {d.delivery.guid: d.verdict for d in planned.decisions}
    assert verdicts == {
        "new": Verdict.HELD,
        "old": Verdict.UNSETTLED,
        "too old": Verdict.LAST_UNDER_WAY,
    }
    assert planned.keeps_checkpoint
    assert not planned.due


def test_a_last_redelivery_under_way_keeps_the_checkpoint() -> None:
    """But not if another event is due: then the run saves the checkpoint anyway."""
    window = a_window(ago(minutes=5), written=ago(minutes=2))
    gone = a_delivery("too old", at=ago(minutes=4), number=1, redelivery=True)
    new = a_delivery("new", at=ago(minutes=1), number=3)

    alone, beside_another = plan_of([gone], window), plan_of([new, gone], window)

    assert (alone.keeps_checkpoint, len(alone.due)) == (True, 0)
    assert (beside_another.keeps_checkpoint, len(beside_another.due)) == (False, 1)
    assert not plan_of([], window).keeps_checkpoint
    assert Plan.of([], window, FOUR_ATTEMPTS).keeps_checkpoint, "no log was read"


@pytest.mark.parametrize(
    ("number", "chosen"),
    [
        (0, []),
        (1, [9]),
        (2, [9, 4]),
        (3, [9, 6, 3]),
        (10, [*range(9, -1, -1)]),
        (11, [*range(9, -1, -1)]),
    ],
)
def test_chosen_events_are_evenly_spaced(number: int, chosen: list[int]) -> None:
    assert evenly_spaced(range(10), number) == chosen


def test_events_are_sorted_by_attempts_age_and_id() -> None:
    log = [
        a_delivery("c", at=ago(hours=1), number=3),
        a_delivery("b", at=ago(hours=2), number=7),
        a_delivery("a", at=ago(hours=2), number=5),
        a_delivery("a redelivery", at=ago(minutes=50), number=9, redelivery=True),
        a_delivery("a redelivery", at=ago(hours=3), number=1),
    ]
    log.sort(key=lambda delivery: delivery.delivered_at, reverse=True)

    decisions = plan_of(log).decisions

    assert [d.delivery.guid for d in decisions] == ["a", "b", "c", "a redelivery"]


def test_the_fewest_attempts_come_first_then_the_oldest() -> None:
    log = [
        a_delivery("new", at=ago(hours=1), number=9),
        a_delivery("tried twice", at=ago(hours=2), number=8, redelivery=True),
        a_delivery("newer", at=ago(hours=3), number=7),
        a_delivery("tried twice", at=ago(hours=5), number=6),
        a_delivery("old", at=ago(hours=4), number=5),
    ]

    planned = plan_of(log, policy=a_policy(max_redeliveries=2))

    assert [d.delivery.guid for d in planned.due] == ["old", "newer"]
    left = {d.delivery.guid for d in planned.decisions if d.verdict is Verdict.SURPLUS}
    assert left == {"tried twice", "new"}


def test_webhooks_that_share_a_guid_are_judged_separately() -> None:
    other, window = a_webhook(2), a_window()
    scans = [
        scan_of([a_delivery("shared", at=ago(hours=1))], window=window),
        scan_of([delivered("shared", at=ago(hours=1))], webhook=other, window=window),
        scan_of(
            [a_delivery("shared", at=ago(hours=2), number=7)], webhook=a_webhook(3), window=window
        ),
    ]

    due = Plan.of(scans, a_window(), FOUR_ATTEMPTS).due

    assert [(d.webhook, d.delivery.id) for d in due] == [(a_webhook(3), 7), (WEBHOOK, 2**62 + 1)]


def test_the_maximum_counts_the_events_of_all_webhooks() -> None:
    policy = a_policy(max_redeliveries=1)
    scans = [
        scan_of(
            [a_delivery("shared", at=ago(hours=n))],
            webhook=a_webhook(n),
            policy=policy,
        )
        for n in (1, 2)
    ]

    assert [d.webhook for d in Plan.of(scans, a_window(), policy).due] == [a_webhook(2)]


def test_webhooks_take_turns_if_too_many_events_are_due() -> None:
    window, policy = a_window(), a_policy(max_redeliveries=4)
    many = [a_delivery(f"many-{n}", at=ago(hours=5, minutes=-n), number=n) for n in range(6)]
    few = [a_delivery(f"few-{n}", at=ago(hours=1, minutes=-n), number=n) for n in range(2)]
    scans = [
        scan_of(many, window=window, policy=policy),
        scan_of(few, webhook=a_webhook(2), window=window, policy=policy),
    ]

    planned = Plan.of(scans, a_window(), policy)

    assert [d.delivery.guid for d in planned.due] == ["many-0", "few-0", "many-1", "few-1"]
    assert [d.delivery.guid for d in planned.surplus] == [f"many-{n}" for n in range(2, 6)]


def test_one_unsettled_event_holds_back_all_webhooks() -> None:
    window = a_window(ago(minutes=5), written=ago(minutes=2))
    scans = [
        scan_of([a_delivery("new", at=ago(minutes=1))], window=window),
        scan_of([a_delivery("old", at=ago(minutes=3))], webhook=a_webhook(2), window=window),
    ]

    assert Plan.of(scans, a_window(), FOUR_ATTEMPTS).due == ()


def run_at(hours: int) -> Window:
    """Return the window of a run that follows another; its events failed before that one."""
    return replace(a_window(ago(hours=6), written=ago(hours=1)), now=NOW + timedelta(hours=hours))


LEFT = [a_delivery(f"event-{n:02}", at=ago(hours=5, minutes=-n), number=n) for n in range(20)]
"""Events that the run an hour ago has seen and left."""


def due_at(hours: int, log: list[Delivery]) -> list[str]:
    return [d.delivery.guid for d in plan_of(log, run_at(hours), a_policy()).due]


def test_events_that_runs_have_left_do_not_always_come_first() -> None:
    fresh = [a_delivery("fresh", at=ago(minutes=30), number=99)]
    firsts = {guid for hours in range(0, 60, 6) for guid in due_at(hours, fresh + LEFT)[:4]}

    assert firsts == {delivery.guid for delivery in LEFT}, "in ten runs, each has its turn"


@pytest.mark.parametrize("hours", range(0, 60, 6))
def test_every_second_place_goes_to_the_fewest_attempts(hours: int) -> None:
    tried = [
        a_delivery(delivery.guid, at=ago(hours=2), number=100 + n, redelivery=True)
        for n, delivery in enumerate(LEFT[:15])
    ]

    first_ten = due_at(hours, [*tried, *LEFT])[:10]

    assert {delivery.guid for delivery in LEFT[15:]} <= set(first_ten)


def test_events_that_no_run_has_seen_keep_their_order() -> None:
    fresh = [a_delivery(f"{n}", at=ago(minutes=30 - n), number=n) for n in range(9)]

    assert due_at(0, fresh) == due_at(7, fresh) == [delivery.guid for delivery in fresh]


def test_another_webhook_begins_if_events_were_left() -> None:
    policy = a_policy(max_redeliveries=1)
    begun = set()
    for hours in range(0, 60, 6):
        window = run_at(hours)
        scans = [
            scan_of([LEFT[n]], webhook=a_webhook(n + 1), window=window, policy=policy)
            for n in range(3)
        ]
        begun |= {decision.webhook.id for decision in Plan.of(scans, window, policy).due}

    assert begun == {1, 2, 3}


@pytest.mark.parametrize("interval", range(1, 25))
def test_runs_begin_at_evenly_spread_positions(interval: int) -> None:
    """At no interval are the largest part of a queue and the smallest far from equal."""
    phases = sorted(run_at(hours).phase for hours in range(0, 62, interval))
    ahead = [*phases[1:], phases[0] + 1]

    gaps = [following - phase for phase, following in zip(phases, ahead, strict=True)]
    assert max(gaps) * len(gaps) < 1.5


@pytest.mark.unmeasured
@pytest.mark.parametrize("every", [1, 6, 8])
@pytest.mark.parametrize("per_run", [1, 2, 5])
@pytest.mark.parametrize(("webhooks", "events"), [(1, 12), (4, 5), (10, 1), (10, 10), (3, 40)])
def test_events_without_a_trace_take_turns_in_three_days(
    webhooks: int, events: int, per_run: int, every: int
) -> None:
    """Most requests are for an event that no run has requested before, as long as there is one."""
    policy = a_policy(max_redeliveries=per_run)
    requested = list[str]()
    for hours in range(0, 62, every):
        window = run_at(hours)
        scans = [
            scan_of(
                [
                    a_delivery(f"{number}-{n}", at=ago(hours=5, minutes=-n), number=n)
                    for n in range(events)
                ],
                webhook=a_webhook(number),
                window=window,
                policy=policy,
            )
            for number in range(webhooks)
        ]
        requested += [decision.delivery.guid for decision in Plan.of(scans, window, policy).due]

    assert len(set(requested)) >= 0.7 * min(len(requested), webhooks * events)
