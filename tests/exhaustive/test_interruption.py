"""A cancelled job sends SIGINT, then SIGTERM, then kills: the run is over long before."""

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import Future
from signal import SIGINT, SIGTERM, Signals

import pytest

from github_sandbox import Delay, Meanwhile, Status
from tests.support.action_run import FLAGS, RunningStep, StepResult, start_action
from tests.support.outage import EVERY_REQUEST, LATER, outage

SECONDS = 3
"""How long a run may take to end."""
AGES = 30.0
"""How long GitHub takes to answer when it hangs."""


def stopped_at(at: int, number: Signals, *, hangs_for_good: bool) -> StepResult:
    """Stop a run while a request hangs, and check the promises."""
    step, sent = Future[RunningStep](), Future[None]()

    def stop() -> None:
        step.result().send_signal(number)
        sent.set_result(None)

    with outage(LATER, Meanwhile(stop), at=at) as world:
        world.github.inject(Delay(AGES), nth=at, times=None if hangs_for_good else 1)
        step.set_result(start_action(world.github, world.hook, verify="1s"))
        sent.result()
        run = step.result().wait(timeout=SECONDS)
        world.github.mend()
        world.recover()
        assert world.taken() == Counter(world.missed)
    assert run.status == 128 + number, run.visible
    assert f"::error::stopped by {number.name}. Nothing is lost" in run.log
    assert f"stopped by {number.name}" in run.summary
    assert "Traceback" not in run.visible
    return run


@pytest.mark.parametrize("at", [number for kind, number in EVERY_REQUEST if kind == LATER])
def test_a_run_stopped_while_a_request_hangs_ends_in_time_and_loses_nothing(at: int) -> None:
    stopped_at(at, SIGTERM, hangs_for_good=False)


@pytest.mark.parametrize("at", [2, 6])
@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_run_stopped_while_github_hangs_altogether_ends_in_time(at: int, number: Signals) -> None:
    run = stopped_at(at, number, hangs_for_good=True)

    is_under_way = at > 4
    assert ("there was no time left to save the checkpoint" in run.log) == is_under_way


STOPPED_WHILE_IT_IMPORTS = """
import os, runpy, sys

number = int(sys.argv.pop())

class Stop:
    def find_spec(self, name, *_):
        if name == "actions_toolkit":
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Stop())
runpy.run_module("redeliver", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_run_stopped_before_it_has_begun_just_ends(number: Signals) -> None:
    run = subprocess.run(
        [sys.executable, *FLAGS, "-c", STOPPED_WHILE_IT_IMPORTS, str(int(number))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (128 + number, "", "")


def test_a_run_stopped_while_it_waits_ends_in_time_and_has_saved_the_checkpoint() -> None:
    limit = Status(429, "Slow down", headers={"Retry-After": "60"})
    with outage(LATER, limit, at=8) as world:
        step = start_action(world.github, world.hook, verify="1s")
        while "Waiting 60.0 s: GitHub wants no more requests for now" not in step.log:
            time.sleep(0.01)

        before = len(world.github.requests)
        for number in (SIGINT, SIGTERM):
            step.send_signal(number)
        run = step.wait(timeout=SECONDS)

        assert run.status == 130, run.visible
        assert "no time left" not in run.log
        asked = [r.method for r in world.github.requests[before:] if "variables" in r.path]
        assert asked == ["GET", "PATCH"]
        answers = [r.status for r in world.github.requests if r.path.endswith("/attempts")]
        assert run.outputs["redelivered"] == str(answers.count(202))
        assert run.outputs["checkpoint"] == world.checkpoint
        world.recover()
        assert world.taken() == Counter(world.missed)
