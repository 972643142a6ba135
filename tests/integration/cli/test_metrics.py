"""A run of the command writes its metrics to a file, whatever its result is."""

import os
from concurrent.futures import Future
from pathlib import Path
from signal import SIGTERM

import pytest

from github_sandbox import Delay, Meanwhile, Receiver, Status
from redeliver.core.checkpoint import format_checkpoint
from tests.support.builders import ago
from tests.support.command_run import Command, RunningCommand
from tests.support.metrics import metrics_in
from tests.support.outage import arrived


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return folder / "redeliver.prom"


def test_a_run_writes_what_it_did(command: Command, missed: list[str], file: Path) -> None:
    run = command.run("--metrics-file", str(file))

    assert (run.status, run.stderr) == (0, "")
    values, webhook = metrics_in(file), f"owner=acme, webhook={command.hook.id}"
    assert values["last_run_success"] == {"": 1}
    assert 0 < values["last_run_duration_seconds"][""] < 60
    assert values["read_deliveries"] == values["failed_deliveries"] == {webhook: len(missed)}
    assert values["events"][f"outcome=pending, {webhook}"] == len(missed)
    assert values["checkpoint_timestamp_seconds"] == {"": int(command.checkpoint) // 1000}


@pytest.mark.parametrize("number", [1, 2], ids=["at its first run", "later"])
def test_a_run_that_fails_says_so(command: Command, file: Path, number: int) -> None:
    for _ in range(number - 1):
        assert command.run(REDELIVER_METRICS_FILE=str(file)).status == 0

    run = command.run(REDELIVER_METRICS_FILE=str(file), REDELIVER_TOKEN="ghp_wr0ng")

    assert run.status == os.EX_NOPERM
    values = metrics_in(file)
    assert values["last_run_success"] == {"": 0}
    assert len(values) == 3, "there is nothing about webhooks"


def test_a_run_with_problems_counts_as_failed(command: Command, file: Path) -> None:
    command.hook.record(status="oh", status_code=500, at=ago(hours=1))
    command.github.inject(Status(422, "Cannot"), method="POST")

    run = command.run("--metrics-file", str(file))

    assert run.status == 1
    values = metrics_in(file)
    assert values["last_run_success"] == {"": 0}
    assert values["events"][f"outcome=refused, owner=acme, webhook={command.hook.id}"] == 1


def test_a_stopped_run_counts_as_failed(command: Command, file: Path) -> None:
    running = Future[RunningCommand]()
    stop = Meanwhile(lambda: running.result().send_signal(SIGTERM))
    command.github.inject(stop, path=".*/deliveries")
    command.github.inject(Delay(30), path=".*/deliveries")
    running.set_result(command.start("--metrics-file", str(file)))

    assert running.result().wait().status == 128 + SIGTERM
    assert metrics_in(file)["last_run_success"] == {"": 0}


def test_a_run_that_another_keeps_out_changes_no_metrics(
    command: Command, missed: list[str], file: Path
) -> None:
    seen = Future[bool]()

    def run_second() -> None:
        assert command.run("--metrics-file", str(file)).status == os.EX_TEMPFAIL
        seen.set_result(file.exists())

    command.github.inject(Meanwhile(run_second), method="POST", path=".*/attempts")

    assert command.run("--metrics-file", str(file)).status == 0
    assert not seen.result()
    assert metrics_in(file)["last_run_success"] == {"": 1}
    assert len(missed) == 2


def test_a_dry_run_writes_no_metrics(command: Command, file: Path) -> None:
    run = command.run("--dry-run", REDELIVER_METRICS_FILE=str(file))

    assert (run.status, run.stderr) == (0, "")
    assert run.stdout.startswith("A dry run does not write REDELIVER_METRICS_FILE\n")
    assert not file.exists()


def test_a_missing_directory_is_refused_before_the_run(command: Command, tmp_path: Path) -> None:
    run = command.run("--metrics-file", str(tmp_path / "none" / "a.prom"))

    assert (run.status, run.stdout) == (os.EX_CANTCREAT, "")
    assert run.stderr.startswith(f"Error: --metrics-file is in {tmp_path}/none, which is not a dir")
    assert command.github.requests == []


def test_metrics_that_cannot_be_written_lose_no_work(
    command: Command, receiver: Receiver, missed: list[str], file: Path
) -> None:
    """The directory disappears during the run."""
    command.github.inject(Meanwhile(file.parent.rmdir), method="POST", path=".*/attempts")

    run = command.run("--metrics-file", str(file), "--json")

    assert run.status == os.EX_IOERR
    assert run.stdout.startswith("{")
    assert f"Error: the metrics could not be written to {file}: No such file" in run.stderr
    assert arrived(command.github, receiver) == sorted(missed)
    assert command.checkpoint == format_checkpoint(ago(hours=4))


def test_each_run_of_a_loop_writes_its_metrics(command: Command, file: Path) -> None:
    """A run that fails does not end the loop."""
    loop = command.start("--every", "1s", "--metrics-file", str(file))
    try:
        loop.wait_for("nothing to redeliver")
        first = metrics_in(file)
        command.github.inject(Status(302, "Found", headers={"Location": "/"}))
        loop.wait_for("Error: ")
        loop.wait_for("runs work again")
        last = metrics_in(file)
        loop.send_signal(SIGTERM)
        loop.wait(timeout=3)
    finally:
        loop.kill()

    name = "last_run_timestamp_seconds"
    assert first["last_run_success"] == last["last_run_success"] == {"": 1}
    assert first[name][""] < last[name][""]
