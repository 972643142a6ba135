"""What the command shows in a terminal."""

import re

import pytest

from github_sandbox import Receiver, Status
from tests.support.builders import ago
from tests.support.command_run import Command, CommandResult
from tests.support.outage import arrived

SHOW_CURSOR = "\x1b[?25h"
"""The escape sequence at the end of the progress bars."""


def without_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def conclusion(run: CommandResult) -> str:
    """Return the output after the progress bars."""
    return without_colors(run.stdout.partition(SHOW_CURSOR)[2])


def test_a_terminal_shows_a_progress_bar_and_then_a_table(
    command: Command, receiver: Receiver, missed: list[str]
) -> None:
    run = command.run_in_terminal("--verify", "5s")

    assert run.status == 0, run.stdout
    assert arrived(command.github, receiver) == sorted(missed)
    during = run.stdout.partition(SHOW_CURSOR)[0]
    assert "\x1b[?25l" in during
    assert re.search("Redeliveries requested: .*━", during)
    assert re.search("Waiting for outcomes in GitHub's log, in seconds: .*━.* 0 of 5", during)
    assert f"Recovered: issues.opened {missed[0]}" in during
    row = rf"^ *issues\.opened +{missed[0]} +4 h 0 min +2 +200 OK +recovered[ \r]*$"
    assert re.search(row, conclusion(run), flags=re.MULTILINE)
    lines = conclusion(run).splitlines()
    assert "2 events failed: 2 recovered" in lines
    assert lines[-1].startswith("Checkpoint saved: ")


def test_the_table_names_the_webhook_if_there_are_several(
    command: Command, missed: list[str]
) -> None:
    other = command.github.org("acme").hook("http://127.0.0.1:9/hook")

    run = command.run_in_terminal("--hook-id", str(other.id), "--dry-run")

    row = rf" {missed[0]} .* would be redelivered +{command.hook.id}[ \r]*$"
    assert re.search(row, conclusion(run), flags=re.MULTILINE)


def test_a_narrow_terminal_shows_each_guid_on_one_line(command: Command, missed: list[str]) -> None:
    run = command.run_in_terminal("--dry-run", columns=80)

    for guid in missed:
        assert f" {guid} " in conclusion(run)


def test_a_terminal_shows_one_screenful_with_problems_first(command: Command) -> None:
    newest = 0
    for number in range(60):
        at = ago(minutes=90 - number)
        newest = command.hook.record(guid=f"guid-{number}", status="oh", status_code=500, at=at)
    command.github.inject(Status(422, "Cannot"), method="POST", path=f".*/{newest}/attempts")

    run = command.run_in_terminal()

    assert run.status == 1, run.stdout
    assert re.findall(r"guid-(\d+)", conclusion(run)) == ["59", *map(str, range(49))]
    assert "The lines above have 10 more events" in conclusion(run)


def test_untrusted_text_cannot_act_as_markup_in_a_terminal(command: Command) -> None:
    hostile = "[red]x[/red] [bold :smile: \x1b[31mpwned\x07 [link=https://evil.example]y"
    command.hook.record(
        event=hostile, guid=hostile, status=hostile, status_code=500, at=ago(hours=1)
    )

    run = command.run_in_terminal("--dry-run", columns=400)

    plain = without_colors(run.stdout)
    assert run.status == 0, run.stdout
    assert plain.count("[red]x[/red] [bold :smile: [31mpwned [URL removed]") == 6
    assert "evil" not in run.stdout
    assert "\x07" not in run.stdout


@pytest.mark.parametrize(
    ("no_color", "colors"),
    [
        pytest.param("", {"31", "33"}, id="without NO_COLOR"),
        pytest.param("1", set(), id="with NO_COLOR"),
    ],
)
def test_a_terminal_has_colors_unless_no_color_is_set(
    command: Command, no_color: str, colors: set[str]
) -> None:
    for redelivery in (False, True):
        command.hook.record(status="oh", status_code=500, at=ago(hours=1), redelivery=redelivery)
    command.github.inject(Status(422, "Cannot"), method="POST")

    run = command.run_in_terminal(NO_COLOR=no_color)

    assert run.status == 1, run.stdout
    assert set(re.findall(r"\x1b\[(3[0-7])m", run.stdout)) == colors


def test_a_terminal_shows_no_table_if_nothing_failed(command: Command) -> None:
    run = command.run_in_terminal()

    assert run.status == 0, run.stdout
    assert "Last status" not in run.stdout
    assert without_colors(run.stdout).splitlines()[-1] == "Nothing to redeliver"
