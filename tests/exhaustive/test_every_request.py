"""A run is spoilt at every single request it makes, and nothing is lost or sent twice."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_sandbox import Dropped, Fault, Garbage, LostReply, Meanwhile, Status, Truncated
from tests.exhaustive.soak import SOAK
from tests.support.action_run import RunningStep, start_action
from tests.support.outage import (
    EVERY_REQUEST,
    FIRST,
    LATER,
    METHODS,
    SCHEDULE,
    VERIFY,
    Outage,
    outage,
)
from tests.support.virtual_run import run_in_process

Tell: TypeAlias = Callable[[str], None]

BOTH = (False, True)

FAULTS: dict[str, Fault] = {
    "a lost reply": LostReply(),
    "a 502": Status(502, "Bad Gateway"),
    "a dropped connection": Dropped(),
    "a garbage body": Garbage(),
    "a body that is cut": Truncated(),
    "a rate limit": Status(429, "Slow down", headers={"Retry-After": "60"}),
}


def side_by_side(points: Iterable[Callable[[], None]], add_to_summary: Tell, what: str) -> None:
    """Try all points, several at a time for they mostly wait, and say how many there were."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        tried = [pool.submit(point) for point in points]
        for each in tried:
            each.result()
    add_to_summary(f"{len(tried)} points: {what}")


@pytest.mark.parametrize("kind", [FIRST, LATER])
def test_the_scenario_has_pages_a_refusal_and_two_events_to_bring_back(kind: str) -> None:
    create_or_update = "POST" if kind == FIRST else "PATCH"
    assert METHODS[kind][:8] == [*["GET"] * 4, create_or_update, *["POST"] * 3]
    with outage(kind) as world:
        world.run()
        world.github.settle()
        assert len(world.taken()) == 2
        world.recover()
        assert world.taken() == Counter(world.missed)


def killed(kind: str, at: int, *, after: bool) -> None:
    step = Future[RunningStep]()
    kill = Meanwhile(lambda: step.result().kill(), after=after)
    with outage(kind, kill, at=at) as world:
        step.set_result(start_action(world.github, world.hook, verify="1s"))
        assert step.result().wait().status == -SIGKILL
        world.recover()
        assert world.taken() == Counter(world.missed), f"{kind} killed at request {at}, {after=}"


def test_a_run_killed_before_or_after_any_request_loses_nothing_and_repeats_nothing(
    add_to_summary: Tell,
) -> None:
    points = [partial(killed, *point, after=after) for point in EVERY_REQUEST for after in BOTH]
    side_by_side(
        points, add_to_summary, "the process is killed before and after each request of a run"
    )


def spoilt(kind: str, at: int, name: str, *, times: int | None) -> None:
    with outage(kind, FAULTS[name], at=at, times=times) as world:
        world.run()
        world.github.mend()
        world.recover()
        where = f"{kind} with {name} at request {at}, {times=}"
        assert world.taken() == Counter(world.missed), where


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("times", [pytest.param(1, id="once"), pytest.param(None, id="for good")])
def test_a_run_that_meets_a_fault_at_any_request_loses_nothing_and_repeats_nothing(
    name: str, times: int | None, add_to_summary: Tell
) -> None:
    points = [partial(spoilt, *point, name, times=times) for point in EVERY_REQUEST]
    how = "at each request of a run" if times else "from each request of a run on"
    side_by_side(points, add_to_summary, f"{name} {how}")


@settings(max_examples=25 * SOAK, deadline=None)
@given(
    kind=st.sampled_from([FIRST, LATER]),
    faults=st.lists(
        st.tuples(
            st.integers(1, 14),
            st.sampled_from(sorted(FAULTS)),
            st.sampled_from([1, None]),
            st.sampled_from([timedelta(minutes=1), timedelta(minutes=16), SCHEDULE]),
        ),
        min_size=2,
        max_size=5,
    ),
)
def test_runs_that_meet_faults_one_after_the_other_lose_nothing_and_repeat_nothing(
    kind: str, faults: list[tuple[int, str, int | None, timedelta]]
) -> None:
    with outage(kind) as world:
        for at, name, times, pause in faults:
            world.github.inject(FAULTS[name], nth=at, times=times)
            world.run()
            world.github.mend()
            world.github.settle()
            world.clock.advance(pause)
        world.recover()
        assert world.taken() == Counter(world.missed)


BETWEEN_READ_AND_WRITE = {
    (kind, at + place, after)
    for kind, at in EVERY_REQUEST
    if METHODS[kind][at - 1 : at + 1] == ["GET", "PATCH"]
    for place, after in ((0, True), (1, False))
}
"""Where nothing can help without a compare-and-swap: right after the checkpoint was read for
the last time, and right before it is written. Only creating the variable is safe even there."""


def overtaken(kind: str, at: int, *, after: bool) -> None:
    """Have another run do all it does at one request of the first."""
    first = Future[Outage]()
    marks: list[str] = []

    def another_run() -> None:
        world = first.result()
        marks.append(world.checkpoint)
        world.clock.advance(timedelta(seconds=30))
        run_in_process(world.github, world.hook, world.clock, verify=VERIFY)
        marks.append(world.checkpoint)

    with outage(kind, Meanwhile(another_run, after=after), at=at) as world:
        first.set_result(world)
        world.run()
        marks.append(world.checkpoint)
        world.recover()
        marks.append(world.checkpoint)
        taken = world.taken()
        where = f"{kind} with another run at request {at}, {after=}"
        assert taken.keys() == set(world.missed), where
        if (kind, at, after) not in BETWEEN_READ_AND_WRITE:
            assert taken == Counter(world.missed), where
            assert marks == sorted(marks), where


def test_a_run_overtaken_by_another_at_any_request_loses_nothing_and_repeats_nothing(
    add_to_summary: Tell,
) -> None:
    points = [partial(overtaken, *point, after=after) for point in EVERY_REQUEST for after in BOTH]
    between = f"{len(BETWEEN_READ_AND_WRITE)} of them between reading and writing the checkpoint"
    side_by_side(
        points,
        add_to_summary,
        f"a whole other run before and after each request of a run, {between}",
    )


def test_the_docs_tell_how_many_points_are_tried() -> None:
    told = (Path(__file__).parents[2] / "docs" / "promises.md").read_text()
    kills = f"{2 * len(EVERY_REQUEST)} crash points"
    faults = f"{2 * len(FAULTS) * len(EVERY_REQUEST)} spoilt runs"
    others = f"{2 * len(EVERY_REQUEST)} overtaken runs"

    assert [figure for figure in (kills, faults, others) if figure not in told] == []
