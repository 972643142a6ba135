"""A run that is disturbed at any of its requests loses no event, and redelivers none twice."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from github_sandbox import (
    Dropped,
    Fault,
    InvalidBody,
    LostResponse,
    Meanwhile,
    Receiver,
    Sandbox,
    Status,
    Swallowed,
    Truncated,
    VirtualClock,
)
from redeliver.core.checkpoint import Ended, format_checkpoint
from redeliver.core.outcome import Outcome
from tests.support.action_run import RunningStep, start_action
from tests.support.builders import START
from tests.support.command_run import Command, RunningCommand
from tests.support.odd_rows import OddRows
from tests.support.outage import (
    FIRST,
    LATER,
    METHODS,
    METHODS_WITH_FILE,
    SCHEDULE,
    VERIFY,
    Outage,
    past_outage,
)
from tests.support.sandboxes import running
from tests.support.virtual_run import run_in_process

EVERY_REQUEST = [
    (kind, number) for kind, methods in METHODS.items() for number, _ in enumerate(methods, 1)
]
EVERY_REQUEST_WITH_FILE = [
    (kind, number)
    for kind, methods in METHODS_WITH_FILE.items()
    for number, _ in enumerate(methods, 1)
]
BEFORE_AND_AFTER = (False, True)

FAULTS: dict[str, Fault] = {
    "a lost response": LostResponse(),
    "a 502": Status(502, "Bad Gateway"),
    "a dropped connection": Dropped(),
    "an invalid response body": InvalidBody(),
    "a truncated response body": Truncated(),
    "a rate limit": Status(429, "Slow down", headers={"Retry-After": "60"}),
}
ONE_TIME_FAULTS: dict[str, Fault] = {
    "a 401": Status(401, "Bad credentials"),
    "a login page": InvalidBody(status=302, headers={"Location": "https://localhost/login"}),
    "a 202 without the work": Swallowed(),
    "odd rows": OddRows(),
}
"""These happen at one request only: if they last, nothing but the first of them matters."""

DISTURBED = [(name, times) for name in FAULTS for times in (1, None)]
DISTURBED += [(name, 1) for name in ONE_TIME_FAULTS]
ALL_FAULTS = FAULTS | ONE_TIME_FAULTS


def try_points(points: Iterable[Callable[[], None]]) -> None:
    """Try all points of a run, several at the same time because they mostly wait."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        futures = [pool.submit(point) for point in points]
        for future in futures:
            future.result()


@pytest.mark.parametrize("with_file", [False, True], ids=["a variable", "a checkpoint file"])
@pytest.mark.parametrize("kind", [FIRST, LATER])
def test_a_run_makes_the_requests_that_are_tried(
    kind: str, tmp_path: Path, *, with_file: bool
) -> None:
    """GitHub accepts two of its three redeliveries, and the next runs recover the other events."""
    checkpoint_file = tmp_path / "checkpoint.json" if with_file else None
    with past_outage(kind, checkpoint_file=checkpoint_file) as outage:
        outage.run()

        methods = [request.method for request in outage.github.requests]
        assert methods == (METHODS_WITH_FILE if with_file else METHODS)[kind]
        outage.github.settle()
        assert len(outage.redelivered()) == 2
        outage.recover()
        assert outage.redelivered() == outage.missed


def kill(
    start: Callable[[Outage], RunningStep | RunningCommand],
    kind: str,
    nth: int,
    *,
    after: bool,
    checkpoint_file: Path | None = None,
) -> None:
    """Kill a run before or after GitHub handles one of its requests."""
    run = Future[RunningStep | RunningCommand]()
    fault = Meanwhile(lambda: run.result().kill(), after=after)
    with past_outage(kind, fault, nth=nth, checkpoint_file=checkpoint_file) as outage:
        run.set_result(start(outage))
        assert run.result().wait().status == -SIGKILL
        outage.recover()
        assert outage.redelivered() == outage.missed, f"{kind} killed at request {nth}, {after=}"


def test_a_run_killed_at_any_request_loses_or_repeats_nothing() -> None:
    def start(outage: Outage) -> RunningStep:
        return start_action(outage.github, outage.hook, verify="1s")

    points = [
        partial(kill, start, kind, nth, after=after)
        for kind, nth in EVERY_REQUEST
        for after in BEFORE_AND_AFTER
    ]
    try_points(points)


def test_a_command_killed_at_any_request_loses_nothing(tmp_path: Path) -> None:
    """It repeats nothing either."""

    def start(outage: Outage) -> RunningCommand:
        assert outage.checkpoint_file
        return Command(outage.github, outage.hook, outage.checkpoint_file).start()

    points = [
        partial(
            kill,
            start,
            kind,
            nth,
            after=after,
            checkpoint_file=tmp_path / f"{kind} {nth} {after}.json",
        )
        for kind, nth in EVERY_REQUEST_WITH_FILE
        for after in BEFORE_AND_AFTER
    ]
    try_points(points)


def disturb(kind: str, nth: int, name: str, *, times: int | None) -> None:
    """Inject a fault at one request of a run, or at this request and all that follow."""
    with past_outage(kind, ALL_FAULTS[name], nth=nth, times=times) as outage:
        outage.run()
        outage.github.mend()
        outage.recover()
        point = f"{kind} with {name} at request {nth}, {times=}"
        assert outage.redelivered() == outage.missed, point


@pytest.mark.parametrize(
    ("name", "times"),
    [pytest.param(name, n, id=f"{name} {'once' if n else 'for good'}") for name, n in DISTURBED],
)
def test_a_fault_at_any_request_loses_or_repeats_nothing(name: str, times: int | None) -> None:
    points = [partial(disturb, kind, nth, name, times=times) for kind, nth in EVERY_REQUEST]
    try_points(points)


@settings(max_examples=settings().max_examples // 4)
@given(
    kind=st.sampled_from([FIRST, LATER]),
    faults=st.lists(
        st.tuples(
            st.integers(1, 15),
            st.sampled_from(sorted(ALL_FAULTS)),
            st.sampled_from([1, None]),
            st.sampled_from([timedelta(minutes=1), timedelta(minutes=16), SCHEDULE]),
        ),
        min_size=2,
        max_size=5,
    ),
)
def test_faults_in_successive_runs_lose_or_repeat_nothing(
    kind: str, faults: list[tuple[int, str, int | None, timedelta]]
) -> None:
    with past_outage(kind) as outage:
        for nth, name, times, pause in faults:
            outage.github.inject(ALL_FAULTS[name], nth=nth, times=times)
            outage.run()
            outage.github.mend()
            outage.github.settle()
            outage.clock.advance(pause)
        outage.recover()
        assert outage.redelivered() == outage.missed


BETWEEN_READ_AND_WRITE = {
    (FIRST, 11, True),
    (FIRST, 12, False),
    (LATER, 4, False),
    (LATER, 12, True),
    (LATER, 13, False),
}
"""Points right after a run reads the variable for the last time and right before it writes it.

GitHub has no compare-and-swap, so a run cannot notice another one there, except when it creates
the variable. The later run writes at request 4 what it has read at request 1: it reads the variable
again if another run starts and ends in between, because that takes longer than 0.4 seconds.
"""


def overlap(kind: str, nth: int, *, after: bool) -> None:
    """Start and end another run before or after one request of a run."""
    first = Future[Outage]()
    checkpoints: list[str] = []

    def run_another() -> None:
        outage = first.result()
        checkpoints.append(outage.checkpoint)
        outage.clock.advance(timedelta(seconds=30))
        run_in_process(outage.github, outage.hook, outage.clock, verify=VERIFY)
        checkpoints.append(outage.checkpoint)

    with past_outage(kind, Meanwhile(run_another, after=after), nth=nth) as outage:
        first.set_result(outage)
        outage.run()
        checkpoints.append(outage.checkpoint)
        outage.recover()
        checkpoints.append(outage.checkpoint)
        point = f"{kind} with another run at request {nth}, {after=}"
        assert set(outage.redelivered()) == set(outage.missed), point
        if (kind, nth, after) not in BETWEEN_READ_AND_WRITE:
            assert outage.redelivered() == outage.missed, point
            seconds = [text[:-3] for text in checkpoints]  # the rest can be a run's signature
            assert seconds == sorted(seconds), point


def test_two_runs_at_the_same_time_lose_or_repeat_nothing() -> None:
    points = [
        partial(overlap, kind, nth, after=after)
        for kind, nth in EVERY_REQUEST
        for after in BEFORE_AND_AFTER
    ]
    try_points(points)


CLAIM = {
    kind: next(n for n, method in enumerate(METHODS[kind], 1) if method != "GET")
    for kind in METHODS
}
"""The number of the request with which a run claims the checkpoint."""


def overlap_after_fault(kind: str, name: str) -> None:
    """Disturb a run's claim, and start and end another run before its next request."""
    first = Future[Outage]()

    def run_another() -> None:
        outage = first.result()
        outage.clock.advance(timedelta(seconds=30))
        run_in_process(outage.github, outage.hook, outage.clock, verify=VERIFY)

    with past_outage(kind, ALL_FAULTS[name], nth=CLAIM[kind]) as outage:
        outage.github.inject(Meanwhile(run_another), nth=CLAIM[kind] + 1, times=1)
        first.set_result(outage)
        outage.run()
        outage.recover()
        assert outage.redelivered() == outage.missed, f"{kind} with {name}"


def test_a_claim_that_has_to_wait_looks_again() -> None:
    points = [partial(overlap_after_fault, kind, name) for kind in METHODS for name in ALL_FAULTS]
    try_points(points)


def test_a_claim_that_stays_limited_ends_with_a_report() -> None:
    """GitHub can limit only requests that write. The report names the events that wait."""
    limit = Status(429, "Slow down", headers={"Retry-After": "10"})
    with past_outage(LATER) as outage:
        outage.github.inject(limit, method="PATCH", times=None)

        report = run_in_process(outage.github, outage.hook, outage.clock, url=outage.url)

        assert "the rate limit of the token" in report.limit
        deferred = {r.key.guid for r in report.results if r.outcome is Outcome.DEFERRED}
        assert len(deferred) == 3
        assert deferred <= set(outage.missed)


def test_a_last_write_that_has_to_wait_looks_again() -> None:
    """Meanwhile an event fails, and another run redelivers it without seeing the outcome."""
    clock = VirtualClock(START)
    with Receiver() as receiver, running(Sandbox(clock=clock)) as github:
        variables = github.repository("acme/ops").variables
        variables["LAST_REDELIVERY"] = format_checkpoint(START - SCHEDULE, Ended())
        hook = github.org("acme").hook(receiver.url, secret="hush")
        checkpoints: list[str] = []

        def run() -> None:
            run_in_process(github, hook, clock, verify=VERIFY)
            checkpoints.append(variables["LAST_REDELIVERY"][:-3])

        def fail_and_run_another() -> None:
            receiver.behave(status=503)
            hook.emit("push")
            receiver.behave()
            github.show_late(300)
            clock.advance(timedelta(seconds=20))
            run()

        github.inject(Status(429, headers={"Retry-After": "60"}), method="PATCH")
        github.inject(Meanwhile(fail_and_run_another), nth=4, times=1)
        run()
        clock.advance(timedelta(minutes=1))
        run()
        github.settle()

        assert [delivery.status for delivery in receiver.received()] == [503, 200]
        assert checkpoints == sorted(checkpoints)


def test_the_docs_say_how_many_runs_are_tried() -> None:
    promises = (Path(__file__).parents[2] / "docs" / "promises.md").read_text()
    figures = [
        f"{2 * len(EVERY_REQUEST)} crash points",
        f"{2 * len(EVERY_REQUEST_WITH_FILE)} crash points",
        f"{len(DISTURBED) * len(EVERY_REQUEST)} disturbed runs",
        f"{2 * len(EVERY_REQUEST)} overlapping runs",
    ]

    assert [figure for figure in figures if figure not in promises] == []
