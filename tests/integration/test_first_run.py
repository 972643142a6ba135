"""Runs without a checkpoint, which warn of failures that are older than they look back."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from github_sandbox import (
    Dropped,
    Fault,
    Hook,
    InvalidBody,
    Receiver,
    Sandbox,
    Status,
    VirtualClock,
)
from redeliver.reporting import messages
from tests.support.action_run import StepResult, run_action
from tests.support.builders import START, ago
from tests.support.command_run import Command
from tests.support.outage import arrived
from tests.support.sandboxes import running
from tests.support.virtual_run import run_in_process

FOUND = "GitHub's log has at least {} that failed "


@pytest.fixture
def older(hook: Hook) -> list[str]:
    """Log two older failures and one in the last day; return the older ones."""
    for guid, hours in {"older-1": 50, "older-2": 30, "newer": 3}.items():
        hook.record(guid=guid, at=ago(hours=hours), status="timed out", status_code=504)
    return ["older-1", "older-2"]


def warnings(run: StepResult) -> list[str]:
    return re.findall("^::warning::(.*)", run.log, flags=re.MULTILINE)


def test_a_first_run_says_how_to_redeliver_older_failures(
    github: Sandbox, receiver: Receiver, hook: Hook, older: list[str], clock: VirtualClock
) -> None:
    """The run that it advises redelivers them, but not what has been delivered."""
    first = run_action(github, hook, verify="5s")

    assert first.status == 0, first.visible
    assert arrived(github, receiver) == ["newer"]
    (warning,) = warnings(first)
    assert warning.startswith(
        "GitHub's log has at least 2 events that failed from 2026-11-22 10:00:00 UTC to 2026-11-23 "
        "06:00:00 UTC. This run does not look at them, because 'lookback' is 24h. "
    )
    assert (
        "run once more with 'since' set to 3d. Start that run at least 16 minutes after the last"
    ) in warning
    assert "**Warning:** GitHub's log has at least 2 events that failed" in first.summary

    clock.advance(timedelta(minutes=17))
    second = run_action(github, hook)
    assert (warnings(second), second.outputs["failed"]) == ([], "0"), "the checkpoint passed them"

    advised = run_action(github, hook, variable_name="", lookback="3d")
    assert warnings(advised) == []
    assert arrived(github, receiver) == ["newer", *older]


def test_a_dry_run_says_with_which_lookback_to_begin(
    github: Sandbox, receiver: Receiver, hook: Hook, older: list[str]
) -> None:
    dry = run_action(github, hook, dry_run="true")

    assert dry.status == 0, dry.visible
    assert {request.method for request in github.requests} == {"GET"}
    (warning,) = warnings(dry)
    assert warning.startswith(FOUND.format("2 events"))
    assert "Start the first real run with 'lookback' set to 3d, or its checkpoint" in warning

    real = run_action(github, hook, lookback="3d")
    assert warnings(real) == []
    assert arrived(github, receiver) == ["newer", *older]


def test_a_run_that_keeps_no_checkpoint_warns_each_time(
    github: Sandbox, hook: Hook, older: list[str], clock: VirtualClock
) -> None:
    first = run_action(github, hook, variable_name="", verify="5s")
    clock.advance(timedelta(minutes=17))
    again = run_action(github, hook, variable_name="")

    for run in (first, again):
        (warning,) = warnings(run)
        assert warning.startswith(FOUND.format(f"{len(older)} events"))
        assert "To redeliver them, run again with 'lookback' set to 3d. Start that run" in warning


def test_the_command_gives_the_same_advice_with_its_flags(
    github: Sandbox, hook: Hook, older: list[str], tmp_path: Path
) -> None:
    command = Command(github, hook, tmp_path / "checkpoint.json")

    first = command.run()
    second = command.run()

    assert (first.status, second.stderr) == (0, "")
    assert f"Warning: {FOUND.format(f'{len(older)} events')}" in first.stderr
    assert f"The checkpoint in file {command.checkpoint_file} has passed them" in first.stderr
    assert "run once more with --since set to 3d" in first.stderr


def test_an_event_that_was_delivered_since_is_no_older_failure(
    github: Sandbox, hook: Hook, older: list[str]
) -> None:
    """Its first attempt is two pages further back than the run reads."""
    hook.record_many(250, since=ago(hours=29), until=ago(hours=25))
    hook.record(guid=older[0], at=ago(hours=2), status="OK", status_code=200, redelivery=True)

    run = run_action(github, hook)

    (warning,) = warnings(run)
    assert warning.startswith(FOUND.format("1 event"))


def test_filters_hold_for_older_failures(github: Sandbox, hook: Hook, older: list[str]) -> None:
    hook.record(
        guid="older-3", event="issues", at=ago(hours=26), status="timed out", status_code=504
    )

    excluded = run_action(github, hook, variable_name="", events="check_run")
    one = run_action(github, hook, variable_name="", events="issues")

    assert (warnings(excluded), len(older)) == ([], 2)
    assert FOUND.format("1 event") in one.log


def test_enterprise_server_keeps_its_log_for_seven_days(clock: VirtualClock) -> None:
    server = Sandbox(clock=clock, retention=timedelta(days=7), enterprise_version="3.19.0")
    with Receiver() as receiver, running(server) as github:
        hook = github.org("acme").hook(receiver.url)
        hook.record(guid="older", at=ago(days=6), status="timed out", status_code=504)

        run = run_action(github, hook, lookback="3d")
        (warning,) = warnings(run)
        assert "Start the" not in warning
        assert "with 'since' set to 7d. Start that run" in warning

        run_action(github, hook, variable_name="", lookback="7d")
        assert arrived(github, receiver) == ["older"]


FAULTS: dict[str, Fault] = {
    "a missing permission": Status(403, "Resource not accessible by integration"),
    "a long rate limit": Status(429, "Slow down", {"Retry-After": "3600"}),
    "a bad gateway": Status(502, "Bad Gateway"),
    "no response": Dropped(),
    "an invalid response": InvalidBody(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_while_asking_does_not_disturb_the_run(
    github: Sandbox,
    receiver: Receiver,
    hook: Hook,
    older: list[str],
    clock: VirtualClock,
    name: str,
) -> None:
    lines: list[str] = []
    github.inject(FAULTS[name], path=".*/deliveries", nth=2, times=5)

    report = run_in_process(github, hook, clock, lines=lines, verify=timedelta(), workers=1)

    assert report.status == 0, messages.problem(report)
    assert arrived(github, receiver) == ["newer"]
    assert messages.warnings(report) == []
    assert len(github.repository("acme/ops").variables) == 1
    unknown = f"Could not find out whether the delivery log of webhook {hook.id} of organization "
    (line,) = [line for line in lines if line.startswith(unknown)]
    assert "failures that are older than 'lookback': " in line
    assert older


def test_an_old_server_without_the_filter_is_asked_once(clock: VirtualClock) -> None:
    with running(Sandbox(clock=clock, filters=False)) as github:
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        hook.record(guid="older", at=ago(hours=30), status="timed out", status_code=504)
        hook.record_many(150, since=ago(hours=20), until=START)

        run = run_action(github, hook)
        asked = [request for request in github.requests if request.query.get("status")]

    assert run.status == 0, run.visible
    assert len(asked) == 1
    assert "this GitHub cannot list failed deliveries only" in run.log
    assert warnings(run) == []
