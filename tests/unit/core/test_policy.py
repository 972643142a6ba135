"""The options of a run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Guid
from redeliver.core.event_filter import EventFilter
from redeliver.core.policy import AS_LONG_AS_LOGGED, Policy, RunOptions, format_duration
from tests.support.builders import a_delivery, repositories

OPTIONS = RunOptions(lookback=timedelta(hours=24), policy=Policy())


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=59), "59m"),
        (timedelta(minutes=60), "1h"),
        (timedelta(minutes=61), "61m"),
        (timedelta(minutes=90, seconds=59), "90m"),
        (timedelta(hours=24), "24h"),
        (timedelta(hours=36), "36h"),
        (timedelta(hours=47), "47h"),
        (timedelta(hours=48), "2d"),
        (timedelta(hours=49), "49h"),
        (timedelta(days=3), "3d"),
    ],
)
def test_a_time_span_is_written_as_inputs_have_it(span: timedelta, text: str) -> None:
    assert format_duration(span) == text


@pytest.mark.parametrize(
    ("since", "guids", "is_replay"),
    [
        (None, frozenset(), False),
        (timedelta(hours=1), frozenset(), True),
        (None, frozenset({Guid("guid-1")}), True),
    ],
)
def test_a_run_for_a_range_or_for_named_events_is_a_replay(
    since: timedelta | None, guids: frozenset[Guid], *, is_replay: bool
) -> None:
    options = replace(OPTIONS, since=since, policy=Policy(guids=guids))

    assert options.is_replay is is_replay


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(AS_LONG_AS_LOGGED, timedelta(days=7), id="not set"),
        pytest.param(timedelta(hours=36), timedelta(hours=36), id="sooner"),
        pytest.param(timedelta(days=9), timedelta(days=7), id="later"),
    ],
)
def test_an_event_is_too_old_when_it_leaves_the_log(given: timedelta, expected: timedelta) -> None:
    options = replace(OPTIONS, policy=Policy(give_up_after=given))

    assert options.with_retention(timedelta(days=7)).max_age == expected


@pytest.mark.parametrize(
    ("policy", "is_wanted"),
    [
        (Policy(), True),
        (Policy(events=EventFilter(("issues.opened",))), True),
        (Policy(events=EventFilter(("issues.closed",))), False),
        (Policy(repositories=repositories(7)), True),
        (Policy(repositories=repositories(8)), False),
        (Policy(events=EventFilter(("push",)), repositories=repositories(7)), False),
    ],
)
def test_an_event_is_wanted_if_both_filters_include_it(policy: Policy, *, is_wanted: bool) -> None:
    delivery = a_delivery(event="issues", action="opened", repository_id=7)

    assert policy.wants(delivery) is is_wanted
    assert not policy.includes_delivered(delivery)
    assert replace(policy, include_delivered=True).includes_delivered(delivery) is is_wanted
