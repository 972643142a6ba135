"""The verdict on an event follows from its attempts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.checkpoint import Ended, slot_end
from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery
from redeliver.core.event_filter import EventFilter
from tests.support.builders import (
    NOW,
    WEBHOOK,
    a_delivery,
    a_policy,
    a_window,
    ago,
    failed,
    failed_again,
    plan_of,
    repositories,
    scan_of,
    succeeded,
    succeeded_again,
)

VERDICTS = {
    "it failed": ([failed(hours=1)], Verdict.REDELIVER),
    "it failed, and so did its redelivery": (
        [failed_again(hours=1), failed(hours=2)],
        Verdict.REDELIVER,
    ),
    "it failed long before the window, and its redelivery in the window": (
        [failed_again(hours=1), failed(hours=50)],
        Verdict.REDELIVER,
    ),
    "it failed at the very start of the window": (
        [failed(hours=6, minutes=10)],
        Verdict.REDELIVER,
    ),
    "it failed, and its redelivery succeeded": (
        [succeeded_again(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "it succeeded, and a needless redelivery failed": (
        [failed_again(hours=1), succeeded(hours=2)],
        Verdict.DELIVERED,
    ),
    "it succeeded long before the window, and a needless redelivery failed": (
        [failed_again(hours=1), succeeded(hours=50)],
        Verdict.DELIVERED,
    ),
    "an attempt between the first and the last succeeded": (
        [failed_again(hours=1), succeeded_again(hours=40), failed(hours=50)],
        Verdict.DELIVERED,
    ),
    "its first attempt has left the log": ([failed_again(hours=1)], Verdict.EXPIRED),
    "its first attempt is exactly as old as the policy allows": (
        [failed_again(hours=1), failed(hours=72)],
        Verdict.REDELIVER,
    ),
    "its first attempt is a second older than the policy allows": (
        [failed_again(hours=1), failed(hours=72, seconds=1)],
        Verdict.TOO_OLD,
    ),
    "it is too old, but an attempt succeeded": (
        [failed_again(hours=1), succeeded_again(hours=2), failed(hours=80)],
        Verdict.DELIVERED,
    ),
    "it has one attempt left": (
        [failed_again(hours=1), failed_again(hours=2), failed(hours=3)],
        Verdict.REDELIVER,
    ),
    "it has no attempt left": (
        [failed_again(hours=1), failed_again(hours=2), failed_again(hours=3), failed(hours=4)],
        Verdict.EXHAUSTED,
    ),
    "it has one attempt left, because a repeated row counts once": (
        [failed_again(hours=1), *[failed_again(hours=2)] * 3, failed(hours=3)],
        Verdict.REDELIVER,
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_follows_from_the_attempts(case: str) -> None:
    log, verdict = VERDICTS[case]

    (decision,) = plan_of(log).decisions

    assert decision.verdict is verdict
    assert decision.delivery == log[0], "the newest attempt"


AFTER_ANOTHER_RUN = {
    "it failed before another run wrote the checkpoint a minute ago": (
        timedelta(minutes=2),
        timedelta(minutes=1),
        Verdict.UNSETTLED,
    ),
    "it failed before another run wrote, exactly 16 minutes ago": (
        timedelta(minutes=16),
        timedelta(minutes=16),
        Verdict.REDELIVER,
    ),
    "it failed after another run wrote the checkpoint": (
        timedelta(minutes=1),
        timedelta(minutes=2),
        Verdict.REDELIVER,
    ),
    "it failed in the same second in which another run wrote": (
        timedelta(minutes=1),
        timedelta(minutes=1),
        Verdict.UNSETTLED,
    ),
}


@pytest.mark.parametrize("case", AFTER_ANOTHER_RUN)
def test_the_verdict_considers_an_earlier_run(case: str) -> None:
    failed_ago, written_ago, verdict = AFTER_ANOTHER_RUN[case]
    window = a_window(ago(minutes=16), written=NOW - written_ago)

    (decision,) = plan_of([a_delivery(at=NOW - failed_ago)], window).decisions

    assert decision.verdict is verdict


SLOTS = tuple(slot_end(ago(minutes=minutes)) for minutes in (19, 9, 4))
"""Redeliveries with unknown outcomes were requested at 11:41, 11:51 and 11:56."""

AFTER_UNKNOWN_OUTCOMES = {
    "before all of these requests": (ago(minutes=21), Verdict.REDELIVER),
    "in the slot of the first request, so the second may be for it": (
        ago(minutes=17),
        Verdict.UNSETTLED,
    ),
    "between the first and the second request": (ago(minutes=13), Verdict.UNSETTLED),
    "just before the checkpoint was written": (ago(minutes=3), Verdict.UNSETTLED),
    "after the checkpoint was written": (ago(minutes=2), Verdict.REDELIVER),
}


@pytest.mark.parametrize("case", AFTER_UNKNOWN_OUTCOMES)
def test_only_what_may_be_under_way_waits(case: str) -> None:
    """It is noon. The first request was so long ago that the log shows its outcome."""
    failed_at, verdict = AFTER_UNKNOWN_OUTCOMES[case]
    window = a_window(ago(hours=1), written=ago(minutes=3), mark=Ended(SLOTS))
    now = replace(window, now=NOW + timedelta(minutes=1))

    (decision,) = plan_of([a_delivery(at=failed_at)], now).decisions

    assert decision.verdict is verdict


FILTERED = {
    "an event that 'events' excludes": (
        a_policy(events=EventFilter(("issues",))),
        [failed(hours=1)],
        Verdict.UNWANTED_EVENT,
    ),
    "an event that 'events' includes": (
        a_policy(events=EventFilter(("push",))),
        [failed(hours=1)],
        Verdict.REDELIVER,
    ),
    "an action that 'events' includes": (
        a_policy(events=EventFilter(("issues.opened",))),
        [a_delivery(event="issues", action="opened")],
        Verdict.REDELIVER,
    ),
    "an action that 'events' does not include": (
        a_policy(events=EventFilter(("issues.opened",))),
        [a_delivery(event="issues", action="closed")],
        Verdict.UNWANTED_EVENT,
    ),
    "an event of a repository that 'repositories' excludes": (
        a_policy(repositories=repositories(1)),
        [a_delivery(repository_id=2)],
        Verdict.UNWANTED_REPOSITORY,
    ),
    "an event of a repository that 'repositories' includes": (
        a_policy(repositories=repositories(1, 2)),
        [a_delivery(repository_id=2)],
        Verdict.REDELIVER,
    ),
    "an event without a repository that 'repositories' excludes": (
        a_policy(repositories=repositories(1)),
        [a_delivery()],
        Verdict.UNWANTED_REPOSITORY,
    ),
    "an event of an excluded repository that was delivered": (
        a_policy(repositories=repositories(1)),
        [succeeded_again(hours=1), a_delivery(repository_id=2)],
        Verdict.DELIVERED,
    ),
    "a status code to skip": (
        a_policy(skip_status_codes=frozenset({504})),
        [failed(hours=1)],
        Verdict.UNWANTED_STATUS,
    ),
    "a status code to skip, but only of an earlier attempt": (
        a_policy(skip_status_codes=frozenset({410})),
        [failed_again(hours=1), a_delivery(at=ago(hours=2), status_code=410)],
        Verdict.REDELIVER,
    ),
    "an excluded event that was delivered": (
        a_policy(events=EventFilter(("issues",))),
        [succeeded_again(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "an excluded event that is too old": (
        a_policy(events=EventFilter(("issues",))),
        [failed_again(hours=1)],
        Verdict.UNWANTED_EVENT,
    ),
}


@pytest.mark.parametrize("case", FILTERED)
def test_the_verdict_considers_filters(case: str) -> None:
    policy, log, verdict = FILTERED[case]

    (decision,) = plan_of(log, policy=policy).decisions

    assert decision.verdict is verdict


LAST_REDELIVERY = {
    "it became too old a minute ago": (
        a_policy(give_up_after=timedelta(hours=36)),
        [failed_again(hours=6), failed(hours=36, minutes=1)],
        Verdict.LAST_UNDER_WAY,
    ),
    "it became too old at the start of a run of six hours": (
        a_policy(give_up_after=timedelta(hours=36)),
        [failed_again(hours=6), failed(hours=42, minutes=2)],
        Verdict.LAST_UNDER_WAY,
    ),
    "it was too old for every run that may be under way": (
        a_policy(give_up_after=timedelta(hours=36)),
        [failed_again(hours=6), failed(hours=42, minutes=2, seconds=1)],
        Verdict.TOO_OLD,
    ),
    "its first attempt has left the log": (
        a_policy(),
        [failed_again(hours=48)],
        Verdict.LAST_UNDER_WAY,
    ),
    "its newest attempt is so old that no run can be redelivering it": (
        a_policy(),
        [failed_again(hours=48, seconds=1)],
        Verdict.EXPIRED,
    ),
    "it failed after the other run wrote the checkpoint": (
        a_policy(give_up_after=timedelta(hours=36)),
        [failed_again(minutes=1), failed(hours=36, minutes=1)],
        Verdict.TOO_OLD,
    ),
    "it has no attempt left, so no run can be redelivering it": (
        a_policy(max_attempts=2),
        [failed_again(hours=6), failed(hours=7)],
        Verdict.EXHAUSTED,
    ),
}


@pytest.mark.parametrize("case", LAST_REDELIVERY)
def test_an_event_is_not_given_up_while_it_may_arrive(case: str) -> None:
    """Another run wrote the checkpoint two minutes ago."""
    policy, log, verdict = LAST_REDELIVERY[case]
    window = a_window(ago(days=3), written=ago(minutes=2))

    (decision,) = plan_of(log, window, policy).decisions

    assert decision.verdict is verdict


SWITCHED_OFF = {
    "an event to redeliver": ([failed(hours=1)], Verdict.SWITCHED_OFF),
    "an event that is too old": (
        [failed_again(hours=1), failed(hours=73)],
        Verdict.TOO_OLD,
    ),
    "an event that was delivered": ([succeeded_again(hours=1), failed(hours=2)], Verdict.DELIVERED),
}


@pytest.mark.parametrize("case", SWITCHED_OFF)
def test_a_switched_off_webhook_keeps_what_is_due(case: str) -> None:
    log, verdict = SWITCHED_OFF[case]

    (decision,) = scan_of(log, webhook=replace(WEBHOOK, is_active=False)).decisions

    assert decision.verdict is verdict


@pytest.mark.parametrize(
    ("log", "is_so"),
    [
        pytest.param([failed(hours=5)], True, id="it failed before another run"),
        pytest.param(
            [failed_again(hours=2, minutes=5), failed(hours=5)],
            False,
            id="another run redelivered it",
        ),
        pytest.param(
            [failed_again(hours=4), failed(hours=5)],
            True,
            id="a run before the last one redelivered it",
        ),
        pytest.param([failed(hours=1)], False, id="it failed after every other run"),
    ],
)
def test_a_run_may_have_requested_what_the_log_lacks(log: list[Delivery], *, is_so: bool) -> None:
    (decision,) = plan_of(log, a_window(ago(hours=6), written=ago(hours=2))).decisions

    assert decision.may_have_been_requested == is_so
