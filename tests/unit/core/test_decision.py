"""The verdict on an event follows from its attempts."""

from datetime import timedelta

import pytest

from redeliver.core.checkpoint import SETTLING_TIME
from redeliver.core.decision import Verdict
from redeliver.core.event_filter import EventFilter
from tests.support.builders import (
    NOW,
    a_delivery,
    a_policy,
    a_window,
    ago,
    failed,
    failed_again,
    plan_of,
    succeeded,
    succeeded_again,
)

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
        [succeeded_again(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "it was taken at once, redelivered by hand without need, and that failed": (
        [failed_again(hours=1), succeeded(hours=2)],
        Verdict.DELIVERED,
    ),
    "the same, and it was taken long before the window": (
        [failed_again(hours=1), succeeded(hours=50)],
        Verdict.DELIVERED,
    ),
    "it was taken by an attempt between the first and the last": (
        [failed_again(hours=1), succeeded_again(hours=40), failed(hours=50)],
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
        [failed_again(hours=1), succeeded_again(hours=2), failed(hours=80)],
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
def test_the_verdict_follows_from_the_attempts(case: str) -> None:
    log, verdict = TRUTH[case]

    (decision,) = plan_of(log).decisions

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
def test_the_verdict_considers_an_earlier_run(case: str) -> None:
    failed_ago, written_ago, verdict = SOON[case]
    window = a_window(NOW - SETTLING_TIME, written=NOW - written_ago)

    (decision,) = plan_of([a_delivery(at=NOW - failed_ago)], window).decisions

    assert decision.verdict is verdict


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
        [succeeded_again(hours=1), failed(hours=2)],
        Verdict.DELIVERED,
    ),
    "an event that is not wanted, and is too old": (
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
