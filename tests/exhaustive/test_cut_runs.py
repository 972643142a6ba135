"""Every run of a week is cut at the same point: what can be delivered is, or a run says red.

There is a run every six hours, in virtual time. The receiver of one webhook is down. Those of the
two others work again. But of one of these, GitHub never responds about an event, refuses another,
and accepts a third and never redelivers it.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from github_sandbox import Status
from redeliver.core.checkpoint import format_checkpoint
from redeliver.errors import Interrupted
from tests.exhaustive.disturbances import Disturbance, Killed, RunEnd
from tests.exhaustive.troubles import NO_RESPONSE, REFUSED, SWALLOWED
from tests.exhaustive.world import World
from tests.support.builders import START
from tests.support.outage import SCHEDULE

pytestmark = pytest.mark.unmeasured

DAY, WEEK = 4, 28
"""How many runs a day and a week have."""

POISONED = [NO_RESPONSE, REFUSED, SWALLOWED]
EVENTS = [["dead-1", "dead-2", "dead-3"], [*POISONED, "good-1"], ["good-2", "good-3"]]
"""The events of each webhook, the oldest first."""

GOOD = {"good-1", "good-2", "good-3"}
"""The events that their receivers accept as soon as GitHub redelivers them."""

METHODS = ["GET"] * 6 + ["PATCH"] + ["POST"] * 9 + ["GET", "PATCH"] + ["GET"] * 5 + ["PATCH"]
"""The methods of the requests of the first run if nothing cuts it."""

FIRST_REDELIVERY = METHODS.index("POST") + 1

TURNS: dict[str, int] = {"good-1": 7, "good-2": 3, "good-3": 3}
"""How many redeliveries each run must request so that an event gets its turn in three days.

Three webhooks take turns. Of the events that earlier runs have tried, half of the places are drawn.
"""

LIMIT = Status(429, "Slow down", {"Retry-After": "3600"})
"""A rate limit for which no run waits."""

CUTS: dict[str, Callable[[int], RunEnd | Disturbance]] = {
    "killed before": lambda nth: RunEnd(nth, is_handled=False, error=Killed),
    "killed after": lambda nth: RunEnd(nth, is_handled=True, error=Killed),
    "cancelled before": lambda nth: RunEnd(nth, is_handled=False, error=Interrupted),
    "cancelled after": lambda nth: RunEnd(nth, is_handled=True, error=Interrupted),
    "limited once at": lambda nth: Disturbance(LIMIT, "any request", nth, times=1),
    "limited from": lambda nth: Disturbance(LIMIT, "any request", nth, times=None),
}
"""How a run is cut at its nth request."""


def a_world(*, workers: int = 1) -> World:
    """Return a world in which nine events failed since the last run."""
    world = World(3, workers=workers)
    world.verify = timedelta(seconds=1)
    world.variables["LAST_REDELIVERY"] = format_checkpoint(START - SCHEDULE)
    world.history.scanned_since = START - SCHEDULE
    world.receivers[0].behave(status=500)
    world.troubles = {trouble: trouble for trouble in POISONED}
    at = START - SCHEDULE
    for hook, guids in zip(world.hooks, EVENTS, strict=True):
        for guid in guids:
            at += timedelta(minutes=30)
            world.history.add_event(guid, hook)
            hook.record(guid=guid, status="failed", status_code=503, at=at)
    world.history.record_new_attempts()
    return world


def requested_per_run(name: str, nth: int) -> int:
    """Return how many redeliveries a run surely requests that is cut at its nth request."""
    return nth - FIRST_REDELIVERY + name.endswith("after")


def test_a_run_makes_the_requests_at_which_it_is_cut() -> None:
    with a_world() as world:
        world.run()

        assert [request.method for request in world.github.requests] == METHODS
        assert world.accepted() == GOOD


@pytest.mark.parametrize(
    ("name", "workers"),
    [*((name, 1) for name in CUTS), ("killed before", 8), ("limited from", 8)],
)
def test_a_week_of_cut_runs_tells_what_is_lost(
    name: str, workers: int, add_to_summary: Callable[[str], None]
) -> None:
    """After each run, the world checks the promises. In the end, no event is unaccounted for.

    A good event is delivered while the runs are cut, if each requests enough redeliveries.
    """
    for nth in range(1, len(METHODS) + 1):
        with a_world(workers=workers) as world:
            runs = 0
            while runs < WEEK and world.history.open_events():
                world.run_on_schedule(CUTS[name](nth))
                runs += 1
            delivered = world.accepted()
            for _ in range(2):
                world.run_on_schedule()
            assert world.history.open_events() == set(), f"{name} request {nth}"
            requested = requested_per_run(name, nth)
            in_time = {guid for guid, enough in TURNS.items() if requested >= enough}
            assert in_time <= delivered <= GOOD, f"{name} request {nth}"
    how = f"each run is {name} the same request, with {workers} workers"
    add_to_summary(f"{len(METHODS)} weeks in which {how}")


@pytest.mark.parametrize("name", CUTS)
def test_a_day_of_cut_runs_only_delays(name: str) -> None:
    """What is still in the log is delivered as soon as runs are no longer cut."""
    for nth in range(1, FIRST_REDELIVERY + 7):
        with a_world() as world:
            for _ in range(DAY):
                world.run_on_schedule(CUTS[name](nth))
            assert world.history.given_up == set(), f"{name} request {nth}"
            world.run_on_schedule()
            assert world.accepted() == GOOD, f"{name} request {nth}"
