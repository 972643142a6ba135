"""The command's output streams: closed ones, encodings, and secrets."""

import json
import os
import re

import pytest

from github_sandbox import Receiver, Status
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
    assert run.stderr == "", "a mail of cron would have it twice"


def test_a_terminal_shows_ordinary_lines_beside_the_json_report(
    command: Command, missed: list[str]
) -> None:
    run = command.run_in_terminal("--json")

    assert run.status == 0
    assert f"Requested: issues.opened {missed[0]}" in run.stdout
    assert '{"version": 1, ' in run.stdout


def test_warnings_and_errors_stay_beside_the_json_report(command: Command) -> None:
    command.hook.record(status="oh", status_code=500, at=ago(hours=1), redelivery=True)

    run = command.run("--json", "--fail-on", "unrecovered")

    report = json.loads(run.stdout)
    assert run.status == 1
    assert run.stderr == f"Warning: {report['warnings'][0]}\nError: {report['problem']}\n"


@pytest.mark.parametrize("json_flag", [[], ["--json"]], ids=["alone", "with --json"])
def test_a_quiet_run_without_trouble_prints_nothing(
    command: Command, missed: list[str], json_flag: list[str]
) -> None:
    run = command.run("--quiet", *json_flag)

    assert (run.status, run.stderr) == (0, "")
    assert run.stdout.count("\n") == len(json_flag)
    assert len(missed) == 2


def test_a_quiet_run_with_trouble_says_when_and_which_events(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    """The event that is redelivered without trouble is only counted."""
    command.github.inject(Status(422, "Cannot"), method="POST")

    run = command.run(REDELIVER_QUIET="true")

    assert (run.status, run.stdout) == (1, "")
    heading, event, error = run.stderr.splitlines()
    assert heading == ("Run of 2026-11-24 12:00:00 UTC: 2 events failed: 1 pending, 1 refused")
    assert re.match(f"Refused: .* ({'|'.join(missed)}) .*: .*Cannot", event)
    assert error.startswith("Error: GitHub refused to redeliver 1 of 2 failed events")
    assert len(arrived(command.github, receiver)) == 1


def test_a_quiet_run_shows_no_bar_in_a_terminal(command: Command, missed: list[str]) -> None:
    run = command.run_in_terminal("--quiet")

    assert (run.status, run.stdout) == (0, "")
    assert len(missed) == 2


def test_a_quiet_run_that_cannot_start_says_why(command: Command) -> None:
    run = command.run("--quiet", REDELIVER_TOKEN="ghp_wr0ng")

    assert (run.status, run.stdout) == (77, "")
    assert run.stderr.startswith("Error: ")


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
    app = command.run("--client-id", "1", REDELIVER_TOKEN="", REDELIVER_PRIVATE_KEY=key)

    assert [run.status for run in (lines, report, terminal, app)] == [0, 0, 0, 64]
    for run in (lines, report, terminal, app):
        assert TOKEN not in run.stdout + run.stderr
        assert "MIIE" not in run.stdout + run.stderr
    assert json.loads(report.stdout)["events"][0]["guid"] == "[token removed]"
