"""Runs of the command, as a shell or cron starts it."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import redeliver
from github_sandbox import Receiver, VirtualClock
from redeliver.cli.checkpoint_file import locked
from redeliver.cli.main import EXIT_STATUSES
from redeliver.core.checkpoint import Ended, format_checkpoint, slot_end
from tests.support.builders import NOW, TOKEN, ago
from tests.support.command_run import Command
from tests.support.outage import arrived


def test_a_run_redelivers_and_saves_the_checkpoint_in_a_file(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    run = command.run()

    assert (run.status, run.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)
    assert command.checkpoint == format_checkpoint(ago(hours=4)), "the outcomes are not known yet"
    assert command.github.requests[0].path == "/rate_limit", "the response has GitHub's time"
    assert f"Requested: issues.opened {missed[0]}" in run.stdout
    assert run.stdout.splitlines()[-1] == "2 events failed: 2 pending"
    assert "\x1b" not in run.stdout


def test_the_next_run_starts_from_the_checkpoint_in_the_file(
    command: Command, receiver: Receiver, missed: list[str], clock: VirtualClock
) -> None:
    command.run()
    before = arrived(command.github, receiver)
    clock.advance(timedelta(hours=1))

    run = command.run()

    assert (run.status, run.stderr) == (0, "")
    assert f"UTC, in file {command.checkpoint_file}. " in run.stdout
    assert arrived(command.github, receiver) == before == sorted(missed)
    assert command.checkpoint == format_checkpoint(NOW + timedelta(hours=1))


def test_environment_variables_can_replace_all_flags(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    """A cron job therefore needs no flags."""
    run = command.run_with(
        REDELIVER_TOKEN="",
        GH_TOKEN=TOKEN,
        REDELIVER_HOSTNAME="",
        GH_HOST=command.github.url,
        REDELIVER_ORG=command.hook.org,
        REDELIVER_HOOK_ID=str(command.hook.id),
        REDELIVER_CHECKPOINT_FILE=str(command.checkpoint_file),
        REDELIVER_VERIFY="0",
    )

    assert (run.status, run.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)


def test_the_checkpoint_can_be_in_a_variable_of_a_repository(
    command: Command, missed: list[str]
) -> None:
    run = command.run_with(*command.flags_without_file, "--variable-repository", "acme/ops")

    assert (run.status, run.stderr) == (0, "")
    variables = command.github.repository("acme/ops").variables
    pending = Ended((slot_end(NOW),))
    assert variables == {"LAST_REDELIVERY": format_checkpoint(ago(hours=4), pending)}
    assert len(missed) == 2


def test_the_command_can_run_without_a_checkpoint(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    run = command.run_with(*command.flags_without_file, "--variable-name", "")

    assert (run.status, run.stderr) == (0, "")
    assert "No checkpoint is kept. Reading all deliveries since" in run.stdout
    assert arrived(command.github, receiver) == sorted(missed)
    assert command.github.repository("acme/ops").variables == {}


def test_an_app_authenticates_with_the_key_from_its_file(
    command: Command, receiver: Receiver, missed: list[str], tmp_path: Path
) -> None:
    app = command.github.app()
    app.install("acme")
    key = tmp_path / "key.pem"
    key.write_text(app.private_key)

    run = command.run(
        "--client-id",
        app.client_id,
        "--private-key-file",
        str(key),
        REDELIVER_TOKEN="",
        GH_TOKEN="ghp_somebodys",
    )

    assert (run.status, run.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)
    assert "ghp_somebodys" not in {request.token for request in command.github.requests}
    assert app.tokens
    assert [token.value for token in app.tokens if token.value in run.stdout] == []


def test_a_dry_run_changes_nothing(command: Command, receiver: Receiver, missed: list[str]) -> None:
    run = command.run("--dry-run")

    assert (run.status, run.stderr) == (0, "")
    assert run.stdout.splitlines()[-1] == "Dry run, 2 events failed: 2 would be redelivered"
    assert {request.method for request in command.github.requests} == {"GET"}
    assert list(command.checkpoint_file.parent.iterdir()) == []
    assert arrived(command.github, receiver) == []
    assert len(missed) == 2


def test_help_lists_flags_variables_and_exit_statuses(command: Command) -> None:
    run = command.run_with("--help")

    assert (run.status, run.stderr) == (0, "")
    text = " ".join(run.stdout.split())
    for entry in ("Which webhook: --org NAME", "--help", "--version", "REDELIVER_TOKEN, GH_TOKEN"):
        assert entry in text
    for status, meaning in EXIT_STATUSES.items():
        assert f"{status} {meaning}" in text
    assert command.github.requests == []


def test_the_version_is_that_of_the_package(command: Command) -> None:
    assert command.run_with("--version").stdout == f"redeliver {redeliver.__version__}\n"


def test_the_module_with_arguments_is_the_command(command: Command) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-m", "redeliver", "--version"],
        env=command.environment(),
        check=True,
        capture_output=True,
        text=True,
    )

    assert run.stdout == f"redeliver {redeliver.__version__}\n"


def test_a_replay_locks_the_checkpoint_file_but_does_not_use_it(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    """So it does not run beside a scheduled run with the same file."""
    command.checkpoint_file.write_text('{"checkpoint": "1795510800001", "written": "now"}')
    before = command.checkpoint_file.read_text()

    with locked(command.checkpoint_file):
        beside = command.run("--since", "6h")
    alone = command.run("--since", "6h")

    assert beside.status == os.EX_TEMPFAIL
    assert (alone.status, alone.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)
    assert command.checkpoint_file.read_text() == before
    assert "This run uses no checkpoint, because --since is set" in alone.stdout


def test_a_replay_needs_no_place_for_a_checkpoint(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    guids = ["--guids", missed[0], "--guids", missed[1]]

    result = command.run_with(*command.flags_without_file, *guids)

    assert (result.status, result.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)
