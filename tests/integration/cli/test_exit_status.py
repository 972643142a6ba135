"""The command's exit statuses, each with the error that the command prints."""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from github_sandbox import Delay, Meanwhile, Receiver, Status
from redeliver.cli.main import EXIT_STATUSES
from tests.support.builders import TOKEN, ago
from tests.support.command_run import Command, CommandResult, RunningCommand
from tests.support.outage import arrived

WITHOUT_JSON = (
    "import json, sys; from redeliver.cli.main import main; del json.loads; sys.exit(main())"
)
"""Runs the command without `json.loads`, so that it fails as it does with a bug."""

WITHOUT_RICH = (
    "import sys; sys.modules['rich'] = None; from redeliver.cli.main import main; sys.exit(main())"
)
"""Runs the command as if rich were not installed."""


def change_nothing(_command: Command) -> None:
    """Do nothing, for a case that needs no setup."""


def refuse_a_redelivery(command: Command) -> None:
    command.hook.record(status="oh", status_code=500, at=ago(hours=1))
    command.github.inject(Status(422, "Cannot"), method="POST")


def fail_again_without_original(command: Command) -> None:
    command.hook.record(status="oh", status_code=500, at=ago(hours=1), redelivery=True)


def write_invalid_checkpoint(command: Command) -> None:
    command.checkpoint_file.write_text("hunter2")


def redirect(command: Command) -> None:
    command.github.inject(Status(302, "Found", headers={"Location": "/"}))


def limit_the_rate(command: Command) -> None:
    command.github.inject(Status(429, "Slow down", headers={"Retry-After": "4000"}))


def remove_the_directory(command: Command) -> None:
    command.checkpoint_file.parent.rmdir()


@dataclass(frozen=True, kw_only=True)
class Case:
    """The setup of a run, its exit status, and a regular expression that matches its error."""

    status: int
    error: str = ""
    set_up: Callable[[Command], None] = change_nothing
    flags: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


CASES = {
    "success": Case(status=0),
    "a refusal": Case(
        status=1,
        error="Error: GitHub refused to redeliver 1 of 1 failed events. The log",
        set_up=refuse_a_redelivery,
    ),
    "an event that is given up": Case(
        status=0,
        error="Warning: 1 event was given up because the first attempt is no longer in",
        set_up=fail_again_without_original,
    ),
    "an event that is given up, with --fail-on unrecovered": Case(
        status=1,
        error="Error: the run fails because --fail-on is 'unrecovered': 1 of 1 failed events was",
        set_up=fail_again_without_original,
        flags=["--fail-on", "unrecovered"],
    ),
    "an unknown flag": Case(status=64, error="Error: unknown flag", flags=["--no-such-thing"]),
    "an invalid value": Case(
        status=64, error="Error: --lookback must be", flags=["--lookback", "s0on"]
    ),
    "two invalid values": Case(
        status=64,
        error="--hook-id has a mistake in entry 2. Each.*--probe must be a whole",
        flags=["--hook-id", "x", "--probe", "s0on"],
    ),
    "a misspelled event": Case(
        status=64,
        error=r"Error: --events has a mistake in entry 1 \('psh': did you mean 'push'\?\)",
        flags=["--events", "psh"],
    ),
    "an event that is not known": Case(
        status=0,
        error="Warning: entry 2 of --events matches no event that this version of redeliver knows",
        flags=["--events", "push", "--events", "brand_new"],
    ),
    "no token": Case(
        status=64,
        error="Error: REDELIVER_TOKEN or GH_TOKEN must be set, or --client-id and --private-key-",
        environment={"REDELIVER_TOKEN": ""},
    ),
    "a secret among the flags": Case(
        status=64, error="Error: the command line has a secret", flags=["--org", TOKEN]
    ),
    "a file with invalid content": Case(
        status=65,
        error="Error: file .*checkpoint.json does not hold a checkpoint",
        set_up=write_invalid_checkpoint,
    ),
    "a server that is not GitHub": Case(
        status=69,
        error="Error: cannot get the time from GitHub.*REDELIVER_HOSTNAME",
        set_up=redirect,
    ),
    "a missing directory": Case(
        status=73,
        error="Error: cannot open .*checkpoint.json.lock",
        set_up=remove_the_directory,
    ),
    "a rate limit": Case(
        status=75,
        error="Error: .* the rate limit of the token in REDELIVER_TOK",
        set_up=limit_the_rate,
    ),
    "a wrong token": Case(
        status=77,
        error="GitHub does not recognise the token in REDELIVER_TOKEN: it is mistyped, expired",
        environment={"REDELIVER_TOKEN": "ghp_wr0ng"},
    ),
    "a wrong token in GH_TOKEN": Case(
        status=77,
        error="GitHub does not recognise the token in GH_TOKEN: it is",
        environment={"REDELIVER_TOKEN": "", "GH_TOKEN": "ghp_wr0ng"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_problem_has_its_exit_status_and_error(command: Command, case: Case) -> None:
    case.set_up(command)

    run = command.run(*case.flags, **case.environment)

    assert run.status == case.status, run.stderr
    assert re.search(case.error, run.stderr)
    labels = [line.partition(": ")[0] for line in run.stderr.splitlines()]
    assert labels in ([], ["Warning"], ["Error"], ["Warning", "Error"])
    for secret in (TOKEN, "ghp_wr0ng", "hunter2", "s0on"):
        assert secret not in run.stdout + run.stderr
    if case.status == os.EX_USAGE:
        assert command.github.requests == []
    assert list(command.checkpoint_file.parent.glob("*.lock")) == []


def test_a_bug_ends_with_status_70_and_its_traceback(command: Command) -> None:
    run = command.run_new_process(sys.executable, "-I", "-c", WITHOUT_JSON)

    assert run.status == 70
    assert run.stderr.startswith("Traceback (most recent call last):\n")
    assert "this is a bug in redeliver. Please report it" in run.stderr
    assert TOKEN not in run.stderr


def test_a_report_that_cannot_be_written_ends_with_74(command: Command, missed: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        run = command.run_with(*command.flags, "--json", stdout=full.fileno())

    assert run.status == 74, run.stderr
    assert run.stderr.splitlines()[-1].startswith("Error: the report could not be written")
    assert command.checkpoint
    assert len(missed) == 2


def test_an_incomplete_installation_ends_with_status_69(command: Command) -> None:
    run = command.run_new_process(sys.executable, "-I", "-c", WITHOUT_RICH)

    assert run.status == 69
    assert run.stderr == (
        "redeliver: a package that the command needs is not installed. "
        "Run: pip install 'redeliver-webhooks[cli]'\n"
    )


@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_run_at_once_with_its_status(command: Command, number: Signals) -> None:
    running = Future[RunningCommand]()
    stop = Meanwhile(lambda: running.result().send_signal(number))
    command.github.inject(stop, path=".*/deliveries")
    command.github.inject(Delay(30), path=".*/deliveries")
    running.set_result(command.start())

    run = running.result().wait()

    assert run.status == 128 + number, run.stderr
    assert run.stderr.startswith(
        f"Error: stopped by {number.name}. A later run redelivers what this one did not"
    )
    assert list(command.checkpoint_file.parent.iterdir()) == []


def test_a_second_run_at_the_same_time_ends_with_status_75(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    """The second run sends no requests."""
    file = command.checkpoint_file
    future = Future[CommandResult]()
    run_second = Meanwhile(lambda: future.set_result(command.run()))
    command.github.inject(run_second, method="POST", path=".*/attempts")

    first = command.run()

    second = future.result()
    assert first.status == 0, first.stderr
    assert (second.status, second.stdout) == (75, "")
    assert second.stderr.startswith(
        f"Error: another run is using {file}: it has locked {file}.lock. "
    )
    assert arrived(command.github, receiver) == sorted(missed)
    assert [request.path for request in command.github.requests].count("/rate_limit") == 1


def test_every_exit_status_is_tested() -> None:
    in_other_tests = {70, 74, 128 + SIGINT, 128 + SIGTERM}

    assert {case.status for case in CASES.values()} | in_other_tests == EXIT_STATUSES.keys()
