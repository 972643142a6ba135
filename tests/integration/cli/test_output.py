"""The command's output streams: closed ones, encodings, and secrets."""

import json
import os

from github_sandbox import Receiver
from redeliver.cli.terminal import Stream
from tests.support.builders import TOKEN, ago
from tests.support.command_run import EXECUTABLE, Command
from tests.support.outage import arrived


def test_the_json_report_is_alone_on_standard_output(command: Command, missed: list[str]) -> None:
    run = command.run("--json")

    report = json.loads(run.stdout)
    assert run.status == 0
    assert [event["guid"] for event in report["events"]] == missed
    assert (report["counts"]["requested"], report["omitted"]["events"]) == (2, 0)
    assert report["checkpoint"][:-3] == command.checkpoint[:-3]
    assert f"Requested: issues.opened {missed[0]}" in run.stderr


def test_a_run_continues_when_nobody_reads_its_output(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)

    run = command.run_with(*command.flags, stdout=write)
    os.close(write)

    assert (run.status, run.stderr) == (0, "")
    assert arrived(command.github, receiver) == sorted(missed)


def test_a_run_continues_when_its_terminal_is_gone(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    run = command.run_in_terminal(closes=True)

    assert run.status == 0
    assert arrived(command.github, receiver) == sorted(missed)


def test_a_closed_stream_drops_what_is_written() -> None:
    stream = Stream(None)
    stream.print("a line")

    assert stream.is_broken
    assert not stream.is_terminal


def test_a_character_that_the_encoding_lacks_is_replaced(command: Command) -> None:
    command.hook.record(event="fête", status="oh", status_code=500, at=ago(hours=1))

    run = command.run_new_process(EXECUTABLE, PYTHONIOENCODING="ascii")

    assert (run.status, run.stderr) == (0, "")
    assert "Requested: f?te " in run.stdout


def test_a_secret_that_github_echoes_is_not_shown(command: Command) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cretOfTheApp\n-----END RSA PRIVATE KEY-----"
    command.hook.record(
        event=f"{TOKEN}x", guid=TOKEN, status=f"a {TOKEN} b", status_code=500, at=ago(hours=1)
    )

    lines = command.run("--dry-run")
    report = command.run("--dry-run", "--json")
    terminal = command.run_in_terminal("--dry-run")
    app = command.run("--app-id", "1", REDELIVER_TOKEN="", REDELIVER_PRIVATE_KEY=key)

    assert [run.status for run in (lines, report, terminal, app)] == [0, 0, 0, 64]
    for run in (lines, report, terminal, app):
        assert TOKEN not in run.stdout + run.stderr
        assert "MIIE" not in run.stdout + run.stderr
    assert json.loads(report.stdout)["events"][0]["guid"] == "[token removed]"
