"""Which failures from before the window a run without a checkpoint should warn of."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery, Guid
from redeliver.core.event_filter import EventFilter
from redeliver.core.older_failures import older_failures
from redeliver.core.policy import Policy
from tests.support.builders import OPTIONS, a_delivery, a_policy, a_window, ago, delivered

WINDOW = a_window(None)
"""It begins 24 hours ago."""


def found(
    *rows: Delivery, seen: tuple[str, ...] = (), policy: Policy = OPTIONS.policy
) -> list[Delivery]:
    options = replace(OPTIONS, policy=policy)
    return older_failures(rows, {Guid(guid) for guid in seen}, WINDOW, options)


OLDER = a_delivery("a", at=ago(hours=30))


def test_the_newest_failure_of_each_older_event_is_found() -> None:
    first = a_delivery("a", at=ago(hours=50), number=1)
    again = a_delivery("a", at=ago(hours=40), number=2, redelivery=True)
    other = a_delivery("b", at=ago(hours=24, seconds=1), number=3)

    assert found(other, again, first) == [other, again]
    assert found(first, again) == [again], "whatever the order of the rows"


@pytest.mark.parametrize(
    ("rows", "seen", "policy"),
    [
        pytest.param([], (), a_policy(), id="nothing failed"),
        pytest.param(
            [a_delivery("a", at=ago(hours=24))], (), a_policy(), id="the window has its failure"
        ),
        pytest.param([OLDER], ("a",), a_policy(), id="the run has read a newer attempt"),
        pytest.param(
            [a_delivery("a", at=ago(hours=2), number=9, redelivery=True), OLDER],
            (),
            a_policy(),
            id="it failed again in the window",
        ),
        pytest.param(
            [delivered("a", at=ago(hours=26), redelivery=True), OLDER],
            (),
            a_policy(),
            id="it was delivered",
        ),
        pytest.param(
            [a_delivery("a", at=ago(hours=72, seconds=1))],
            (),
            a_policy(give_up_after=timedelta(days=10)),
            id="GitHub removes it now",
        ),
        pytest.param([OLDER], (), a_policy(give_up_after=timedelta(hours=29)), id="it is too old"),
        pytest.param(
            [
                a_delivery("a", at=ago(hours=30), number=9, redelivery=True),
                a_delivery("a", at=ago(hours=40)),
            ],
            (),
            a_policy(give_up_after=timedelta(hours=36)),
            id="its first attempt is too old",
        ),
        pytest.param(
            [a_delivery("a", at=ago(hours=30), redelivery=True)],
            (),
            a_policy(give_up_after=timedelta(hours=29)),
            id="a later attempt is too old",
        ),
        pytest.param(
            [OLDER], (), a_policy(events=EventFilter(("issues",))), id="'events' excludes it"
        ),
        pytest.param(
            [OLDER],
            (),
            a_policy(skip_status_codes=frozenset({504})),
            id="'skip-status-codes' excludes it",
        ),
        pytest.param(
            [a_delivery("a", at=ago(hours=29), number=9, redelivery=True), OLDER],
            (),
            a_policy(max_attempts=2),
            id="'max-attempts' is reached",
        ),
    ],
)
def test_an_event_is_not_found_if(
    rows: list[Delivery], seen: tuple[str, ...], policy: Policy
) -> None:
    assert found(*rows, seen=seen, policy=policy) == []


def test_an_event_is_found_although_its_original_is_not_listed() -> None:
    """The original may be on the next page, or GitHub's filter does not list its code."""
    again = a_delivery("a", at=ago(hours=30), redelivery=True)

    assert found(again) == [again]


def test_an_event_that_github_still_keeps_is_found() -> None:
    oldest = a_delivery("a", at=ago(hours=72))

    assert found(oldest) == [oldest]
