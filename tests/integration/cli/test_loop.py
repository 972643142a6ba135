"""The command with --every runs again and again, until a signal ends it."""

import json
import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Status, VirtualClock
from tests.support.builders import TOKEN
from tests.support.command_run import Command, CommandResult, RunningCommand
from tests.support.outage import arrived

MAX_SECONDS = 3
"""How long the process may take to end after a signal."""

QUIET = "nothing to redeliver. From now on, a run without news prints nothing"


@contextmanager
def looping(
    command: Command, *flags: str, every: str = "1s", **environment: str
) -> Iterator[RunningCommand]:
    """Start a loop, and kill it if the test fails."""
    loop = command.start("--every", every, *flags, **environment)
    try:
        yield loop
    finally:
        loop.kill()


def stop(command: Command, loop: RunningCommand, number: Signals = SIGTERM) -> CommandResult:
    """Send a signal between two runs, and check that the process ends in time with its status."""
    requests = -1
    while requests != len(command.github.requests):
        requests = len(command.github.requests)
        time.sleep(0.3)  # no run takes so long for a request, and there is a second between two
    loop.send_signal(number)
    result = loop.wait(timeout=MAX_SECONDS)
    assert result.status == 128 + number, result.stderr
    return result


def miss_an_event(receiver: Receiver, hook: Hook, clock: VirtualClock) -> str:
    """Have a hook miss an event a minute after the last run, and return its GUID."""
    clock.advance(timedelta(minutes=1))
    receiver.stop()
    guid = hook.emit("push")
    receiver.start()
    clock.advance(timedelta(minutes=1))  # a run leaves what fails while it starts to the next one
    return guid


def without_times(text: str) -> list[str]:
    """Return the lines without the times of the runs."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text).splitlines()


def wait_for_runs(command: Command, number: int) -> None:
    """Wait for more runs to begin."""
    before, deadline = runs_begun(command), time.monotonic() + 20
    while runs_begun(command) < before + number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs_begun(command: Command) -> int:
    """Return how many runs have begun: each first requests GitHub's time."""
    return [request.path for request in command.github.requests].count("/rate_limit")


def test_a_loop_recovers_an_event_that_fails_later(
    command: Command, receiver: Receiver, clock: VirtualClock
) -> None:
    with looping(command) as loop:
        loop.wait_for(QUIET)
        guid = miss_an_event(receiver, command.hook, clock)
        loop.wait_for("1 event failed: 1 pending")
        clock.advance(timedelta(minutes=1))
        wait_for_runs(command, 2)
        result = stop(command, loop)

    assert arrived(command.github, receiver) == [guid]
    lines = without_times(result.stdout)
    assert lines[0].startswith(f"A run starts every 1s, for webhook {command.hook.id} of acme. ")
    assert lines[1] == f"Run of TIME: {QUIET}"
    assert lines[2] == "Run of TIME"
    assert [line.partition(":")[0] for line in lines[3:]] == [
        "Checkpoint",
        f"Read 1 delivery of webhook {command.hook.id} of organization acme",
        "Requested",
        "Pending",
        f"Health of webhook {command.hook.id} of organization acme",
        "Checkpoint saved",
        "1 event failed",
        "TIME",
    ]
    assert result.stderr == ""


def test_runs_without_news_print_nothing(command: Command) -> None:
    with looping(command) as loop:
        loop.wait_for(QUIET)
        wait_for_runs(command, 3)
        result = stop(command, loop)

    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == ""


def test_a_loop_says_once_that_github_is_down_and_back(
    command: Command,
) -> None:
    with looping(command) as loop:
        loop.wait_for(QUIET)
        command.github.inject(Status(302, "Found", headers={"Location": "/"}), times=3)
        loop.wait_for("runs work again")
        result = stop(command, loop)

    [error] = without_times(result.stderr)
    assert error.startswith("Error: run of TIME: cannot get the time from GitHub")
    assert without_times(result.stdout)[1:-1] == [
        f"Run of TIME: {QUIET}",
        "Run of TIME",
        "Run of TIME: runs work again, after 3 failed runs",
    ]


def test_a_loop_starts_while_github_is_down(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    command.github.inject(Status(302, "Found", headers={"Location": "/"}))
    with looping(command) as loop:
        loop.wait_for("Runs work again, after 1 failed run")
        stop(command, loop)

    assert arrived(command.github, receiver) == sorted(missed)


@pytest.mark.parametrize(
    ("environment", "status"),
    [({"REDELIVER_TOKEN": "ghp_wr0ng"}, 77), ({"REDELIVER_LOOKBACK": "s0on"}, 64)],
    ids=["a wrong token", "a wrong value"],
)
def test_a_loop_that_can_never_work_ends_at_once(
    command: Command, environment: dict[str, str], status: int
) -> None:
    with looping(command, **environment) as loop:
        result = loop.wait(timeout=20)

    assert result.status == status
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (["--every", "5"], "Error: --every must be a number of seconds, minutes or hours from 1s"),
        (
            ["--every", "5m", "--checkpoint-file", "", "--variable-name", ""],
            "Error: --every needs a checkpoint, because without one",
        ),
    ],
    ids=["a wrong interval", "no checkpoint"],
)
def test_a_wrong_loop_is_refused(command: Command, flags: list[str], error: str) -> None:
    result = command.run(*flags)

    assert (result.status, result.stdout) == (os.EX_USAGE, "")
    assert result.stderr.startswith(error)
    assert command.github.requests == []


@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_between_two_runs_ends_the_loop(command: Command, number: Signals) -> None:
    with looping(command, every="1h") as loop:
        loop.wait_for(QUIET)
        result = stop(command, loop, number)

    assert without_times(result.stdout)[-1] == f"TIME: {number.name} stops this process"
    assert result.stderr == ""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM], ids=lambda number: number.name)
def test_a_signal_during_a_run_ends_the_run_and_the_loop(
    command: Command, receiver: Receiver, clock: VirtualClock, number: Signals
) -> None:
    """The run saves the checkpoint: only the request that hangs is not accounted for."""
    running, sent = Future[RunningCommand](), Future[None]()

    def send() -> None:
        running.result().send_signal(number)
        sent.set_result(None)

    with looping(command) as loop:
        loop.wait_for(QUIET)
        before = json.loads(command.checkpoint_file.read_text())["written"]
        running.set_result(loop)
        command.github.inject(Meanwhile(send), method="POST")
        command.github.inject(Delay(30), method="POST")
        miss_an_event(receiver, command.hook, clock)
        sent.result(timeout=20)
        result = loop.wait(timeout=MAX_SECONDS)

    assert result.status == 128 + number, result.stderr
    [error] = without_times(result.stderr)
    assert error.startswith(f"Error: run of TIME: stopped by {number.name}. A later run redelivers")
    assert json.loads(command.checkpoint_file.read_text())["written"] > before
    assert [file.name for file in command.checkpoint_file.parent.iterdir()] == ["checkpoint.json"]


def test_a_run_uses_a_private_key_that_was_replaced(command: Command, tmp_path: Path) -> None:
    app, other = command.github.app(slug="ours"), command.github.app(slug="another")
    app.install("acme")
    key = tmp_path / "key.pem"
    key.write_text(app.private_key)
    flags = ["--client-id", app.client_id, "--private-key-file", str(key)]

    with looping(command, *flags, REDELIVER_TOKEN="") as loop:
        loop.wait_for(QUIET)
        key.write_text(other.private_key)
        loop.wait_for("Error: ")
        key.unlink()
        loop.wait_for("Error: ", times=2)
        key.write_text(app.private_key)
        loop.wait_for("runs work again")
        result = stop(command, loop)

    # On a slow machine, two runs can see the same file, and the signal can come during a run.
    errors = dict.fromkeys(without_times(result.stderr))
    wrong, missing = (line for line in errors if ": stopped by SIGTERM" not in line)
    assert "generate a new private key there" in wrong
    assert missing.startswith(
        "Error: run of TIME: the file in --private-key-file cannot be read: No such file"
    )
    assert "PRIVATE KEY-" not in result.stdout + result.stderr
    assert len(app.tokens) > 1, "each run gets a token of its own"


def test_somebody_can_start_a_run_between_two_runs_of_a_loop(
    command: Command, receiver: Receiver, clock: VirtualClock
) -> None:
    """Both have the same checkpoint file, which is locked only during a run."""
    with looping(command, every="3s") as loop:
        loop.wait_for(QUIET)
        guid = miss_an_event(receiver, command.hook, clock)
        by_hand = command.run()
        assert by_hand.status == 0, by_hand.stderr
        assert f"Requested: push {guid}" in by_hand.stdout
        clock.advance(timedelta(minutes=1))
        wait_for_runs(command, 1)
        stop(command, loop)

    assert arrived(command.github, receiver) == [guid]


def test_a_loop_prints_a_line_of_json_for_each_run(
    command: Command, receiver: Receiver, clock: VirtualClock
) -> None:
    with looping(command, "--json") as loop:
        loop.wait_for('"version"')
        guid = miss_an_event(receiver, command.hook, clock)
        loop.wait_for(guid)
        loop.wait_for('"version"', times=3)
        result = stop(command, loop)

    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(reports) >= 3
    assert [event["guid"] for report in reports for event in report["events"]][:1] == [guid]
    assert reports[0]["events"] == []
    assert result.stderr == ""


def test_a_quiet_loop_prints_only_new_trouble(
    command: Command, receiver: Receiver, clock: VirtualClock
) -> None:
    with looping(command, "--quiet") as loop:
        wait_for_runs(command, 2)
        guid = miss_an_event(receiver, command.hook, clock)
        command.github.inject(Status(422, "Cannot"), times=2, method="POST")
        loop.wait_for("Refused: ")
        wait_for_runs(command, 3)
        result = stop(command, loop)

    assert result.stdout == ""
    heading, event, error, *others = without_times(result.stderr)
    assert heading == "Run of TIME: 1 event failed: 1 refused"
    assert event.startswith(f"Refused: push {guid} (")
    assert error.startswith("Error: run of TIME: GitHub refused to redeliver 1 of 1 failed events.")
    assert others == []
    assert arrived(command.github, receiver) == [guid]


def test_a_loop_may_be_a_dry_run_without_a_checkpoint(command: Command, missed: list[str]) -> None:
    """It says once which events would be redelivered."""
    flags = ["--checkpoint-file", "", "--variable-name", "", "--dry-run"]
    with looping(command, *flags, REDELIVER_TOKEN=TOKEN) as loop:
        loop.wait_for("2 would be redelivered")
        wait_for_runs(command, 2)
        result = stop(command, loop)

    assert result.stdout.count(missed[0]) == 1
    assert result.stdout.count("Dry run, 2 events failed") == 1
    assert list(command.checkpoint_file.parent.iterdir()) == []
