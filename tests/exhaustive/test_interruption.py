"""A cancelled job sends SIGINT, SIGTERM and then SIGKILL: a run ends long before SIGKILL."""

import subprocess
import sys
import time
from concurrent.futures import Future
from signal import SIGINT, SIGTERM, Signals

import pytest

from github_sandbox import Delay, Meanwhile, Status
from tests.support.action_run import FLAGS, RunningStep, StepResult, start_action
from tests.support.builders import TOKEN
from tests.support.outage import LATER, METHODS, past_outage

MAX_SECONDS = 3
"""How long a run may take to end."""

HANG_SECONDS = 30.0
"""How long GitHub takes to respond when it hangs."""


def interrupt(nth: int, number: Signals, *, later_requests_hang: bool) -> StepResult:
    """Send a run a signal while a request hangs, and check that it ends in time without a loss."""
    step, sent = Future[RunningStep](), Future[None]()

    def stop() -> None:
        step.result().send_signal(number)
        sent.set_result(None)

    with past_outage(LATER, Meanwhile(stop), nth=nth) as outage:
        times = None if later_requests_hang else 1
        outage.github.inject(Delay(HANG_SECONDS), nth=nth, times=times)
        step.set_result(start_action(outage.github, outage.hook, verify="1s"))
        sent.result()
        run = step.result().wait(timeout=MAX_SECONDS)
        outage.github.mend()
        outage.recover()
        assert outage.redelivered() == outage.missed
    assert run.status == 128 + number, run.visible
    assert (
        f"::error::stopped by {number.name}. A later run redelivers what this one did not"
        in run.log
    )
    assert f"stopped by {number.name}" in run.summary
    assert "Traceback" not in run.visible
    return run


@pytest.mark.parametrize("nth", range(1, len(METHODS[LATER]) + 1), ids="request {}".format)
def test_a_signal_ends_a_run_while_any_request_hangs(nth: int) -> None:
    interrupt(nth, SIGTERM, later_requests_hang=False)


@pytest.mark.parametrize("nth", [2, 6], ids="request {}".format)
@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_run_while_all_requests_hang(nth: int, number: Signals) -> None:
    run = interrupt(nth, number, later_requests_hang=True)

    has_started_to_redeliver = nth > 4
    could_not_save = "stopped before it could save the checkpoint" in run.log
    assert could_not_save == has_started_to_redeliver


HANGING_RESOLVER = """
import runpy, socket, time
from contextlib import suppress

def hang(*_arguments, **_options):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(BaseException):  # no signal ends the real function
            print("The resolver hangs")
            time.sleep(30)

socket.getaddrinfo = hang
runpy.run_module("redeliver", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_run_while_the_resolver_hangs(number: Signals) -> None:
    run = subprocess.Popen(
        [sys.executable, *FLAGS, "-c", HANGING_RESOLVER],
        env={
            "GITHUB_API_URL": "https://github.invalid/api/v3",
            "INPUT_TOKEN": TOKEN,
            "INPUT_ORG": "acme",
            "INPUT_HOOK-ID": "7",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout
        while "The resolver hangs" not in run.stdout.readline():
            pass
        run.send_signal(number)
        log, _ = run.communicate(timeout=MAX_SECONDS)

    assert run.returncode == 128 + number
    assert f"::error::stopped by {number.name}" in log


INTERRUPTED_IMPORT = """
import os, runpy, sys

number = int(sys.argv.pop())

class Stop:
    def find_spec(self, name, *_):
        if name == "actions_toolkit":
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Stop())
runpy.run_module("redeliver", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_a_run_that_is_still_importing(number: Signals) -> None:
    run = subprocess.run(
        [sys.executable, *FLAGS, "-c", INTERRUPTED_IMPORT, str(int(number))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (128 + number, "", "")


def test_a_signal_ends_a_run_that_waits() -> None:
    """The run saves the checkpoint."""
    limit = Status(429, "Slow down", headers={"Retry-After": "60"})
    with past_outage(LATER, limit, nth=8) as outage:
        step = start_action(outage.github, outage.hook, verify="1s")
        while (
            "Waiting 60.0 s before the next request: GitHub is rate limiting requests"
            not in step.log
        ):
            time.sleep(0.01)

        before = len(outage.github.requests)
        for number in (SIGINT, SIGTERM):
            step.send_signal(number)
        run = step.wait(timeout=MAX_SECONDS)

        assert run.status == 130, run.visible
        assert "no time left" not in run.log
        requests = outage.github.requests
        methods = [request.method for request in requests[before:] if "variables" in request.path]
        assert methods == ["GET", "PATCH"]
        statuses = [r.status for r in requests if r.path.endswith("/attempts")]
        assert run.outputs["requested"] == str(statuses.count(202))
        assert run.outputs["checkpoint"] == outage.checkpoint
        outage.recover()
        assert outage.redelivered() == outage.missed
