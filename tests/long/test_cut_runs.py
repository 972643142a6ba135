"""Every run of a week is cut at the same point: what can be delivered is, or a run fails first.

There is a run every six hours, in virtual time. The receiver of one webhook is down. Those of the
two others work again. But of one of these, GitHub does not respond to two redeliveries, refuses
two, and accepts two that it never makes.
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

POISONED = {
    f"{trouble}-{number}": trouble
    for number in (1, 2)
    for trouble in (NO_RESPONSE, REFUSED, SWALLOWED)
}
"""The events with lasting trouble, and which."""

EVENTS = [["dead-1", "dead-2"], [*POISONED, "good-1"], ["good-2", "good-3"]]
"""The events of each webhook, the oldest first."""

GOOD = {"good-1", "good-2", "good-3"}
"""The events that their receivers accept as soon as GitHub redelivers them."""

METHODS = ["GET"] * 5 + ["PATCH", "GET"] + ["POST"] * 11 + ["GET"] * 5 + ["PATCH"]
"""The methods of the requests of the first run if nothing cuts it."""

FIRST_REDELIVERY = METHODS.index("POST") + 1

TURNS: dict[str, int] = {"good-1": 2, "good-2": 1, "good-3": 1}
"""How many redeliveries each run must request so that an event gets its turn in three days.

Three webhooks take turns. The one of `good-1` has the most events.
"""

LIMIT = Status(429, "Slow down", {"Retry-After": "3600"})
"""A rate limit for which no run waits."""

CUTS: dict[str, Callable[[int], RunEnd | Disturbance]] = {
    "killed before": lambda nth: RunEnd(nth, is_handled=False, error=Killed),
    "killed after": lambda nth: RunEnd(nth, is_handled=True, error=Killed),
    "cancelled at": lambda nth: RunEnd(nth, is_handled=True, error=Interrupted),
    "limited from": lambda nth: Disturbance(LIMIT, "any request", nth, times=None),
}
"""How a run is cut at its nth request."""


def a_world(*, workers: int = 1) -> World:
    """Return a world in which eleven events failed since the last run."""
    world = World(3, workers=workers)
    world.verify = timedelta(seconds=1)
    world.variables["LAST_REDELIVERY"] = format_checkpoint(START - SCHEDULE)
    world.history.scanned_since = START - SCHEDULE
    world.receivers[0].behave(status=500)
    world.troubles = POISONED.copy()
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
    return nth - FIRST_REDELIVERY + (name in {"killed after", "cancelled at"})


def test_a_run_makes_the_requests_at_which_it_is_cut() -> None:
    with a_world() as world:
        world.run()

        assert [request.method for request in world.github.requests] == METHODS
        assert world.accepted() == GOOD


def assert_the_week_ends_well(world: World, *, requested: int, point: str) -> None:
    """Check that no event is unaccounted for, and that good ones were delivered in time.

    `requested` is how many redeliveries each run has requested at least, unless fewer were due.
    """
    delivered = world.accepted()
    for _ in range(2):
        world.run_on_schedule()
    assert world.history.open_events() == set(), point
    in_time = {guid for guid, enough in TURNS.items() if requested >= enough}
    assert in_time <= delivered <= GOOD, point


@pytest.mark.parametrize(
    ("name", "workers"),
    [*((name, 1) for name in CUTS), ("killed before", 8)],
)
def test_a_week_of_cut_runs_tells_what_is_lost(name: str, workers: int) -> None:
    """After each run, the world checks the promises."""
    for nth in range(1, len(METHODS) + 1):
        with a_world(workers=workers) as world:
            runs = 0
            while runs < WEEK and world.history.open_events():
                world.run_on_schedule(CUTS[name](nth))
                runs += 1
            assert_the_week_ends_well(
                world, requested=requested_per_run(name, nth), point=f"{name} request {nth}"
            )


def test_a_week_with_max_redeliveries_tells_what_is_lost() -> None:
    """Also when nothing cuts the runs, so that some are green."""
    for number in range(1, METHODS.count("POST") + 1):
        with a_world() as world:
            world.max_redeliveries = number
            runs = 0
            while runs < WEEK and world.history.open_events():
                world.run_on_schedule()
                runs += 1
            point = f"{number} redeliveries"
            assert_the_week_ends_well(world, requested=number, point=point)


@pytest.mark.parametrize("name", ["killed before", "cancelled at", "limited from"])
def test_a_day_of_cut_runs_only_delays(name: str) -> None:
    """What is still in the log is delivered as soon as runs are no longer cut."""
    for nth in range(1, FIRST_REDELIVERY + 7):
        with a_world() as world:
            for _ in range(DAY):
                world.run_on_schedule(CUTS[name](nth))
            assert world.history.given_up == set(), f"{name} request {nth}"
            world.run_on_schedule()
            assert world.accepted() == GOOD, f"{name} request {nth}"
