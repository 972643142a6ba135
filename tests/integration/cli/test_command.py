"""The command as a shell or cron runs it, over HTTP: what it does, prints and ends with."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from tempfile import TemporaryFile
from typing import IO, TypeAlias

import pytest

import redeliver
from github_sandbox import Delay, Fault, Hook, Meanwhile, Receiver, Sandbox, Status, VirtualClock
from redeliver import settings, wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.cli.main import EXIT_STATUSES
from redeliver.cli.terminal import Stream
from redeliver.core.checkpoint import format_checkpoint
from tests.support.builders import GOOD_INPUTS, TOKEN, ago
from tests.support.fakes import FakeConsole
from tests.support.fork_server import coverage_variables, fork_server

COMMAND = str(Path(sys.executable).with_name("redeliver"))
WITHOUT_SLEEP = (
    "import sys, time; from redeliver.cli.main import main; del time.sleep; sys.exit(main())"
)
"""A program with a bug in it."""
WITHOUT_THE_EXTRA = (
    "import sys; sys.modules['rich'] = None; from redeliver.cli.main import main; sys.exit(main())"
)

Ended: TypeAlias = "subprocess.CompletedProcess[str]"


@dataclass(frozen=True)
class Shell:
    """A shell in which the command is run for one webhook, with a file for the checkpoint."""

    github: Sandbox
    hook: Hook
    file: Path

    @property
    def flags(self) -> list[str]:
        """What most runs are given."""
        return ["--hook-id", str(self.hook.id), "--checkpoint-file", str(self.file), *self.fast]

    @property
    def fast(self) -> list[str]:
        return ["--org", self.hook.org, "--verify", "0"]

    def environment(self, **more: str) -> dict[str, str]:
        """Give the environment; coverage follows by what is ours."""
        theirs = {"REDELIVER_TOKEN": TOKEN, "REDELIVER_HOSTNAME": self.github.url}
        environment = coverage_variables() | theirs | more
        return {name: text for name, text in environment.items() if text}

    def start(self, *flags: str, **environment: str) -> "Running":
        """Start the command; `flags` add to what is usual."""
        return Running([*self.flags, *flags], self.environment(**environment))

    def run(self, *flags: str, **environment: str) -> Ended:
        """Run the command to its end."""
        return self.start(*flags, **environment).wait()

    def run_bare(self, *arguments: str, stdout: int | None = None, **environment: str) -> Ended:
        """Run the command with nothing but what is given."""
        return Running(arguments, self.environment(**environment), stdout=stdout).wait()

    def run_anew(self, *command: str, **environment: str) -> Ended:
        """Run something with the usual flags, in a new interpreter."""
        return subprocess.run(
            [*command, *self.flags],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )


class Running:
    """The command under way; whoever started it has to wait for it."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: int | None = None,
    ) -> None:
        """Start it; its output goes to `stdout` or is kept."""
        self._arguments = arguments
        with ExitStack() as files:
            self._out = files.enter_context(TemporaryFile("w+"))
            self._errors = files.enter_context(TemporaryFile("w+"))
            self._files = files.pop_all()
        self._process = fork_server(
            "redeliver.cli.main", "redeliver.cli.flags", "redeliver.cli.terminal"
        ).start(
            COMMAND,
            *arguments,
            environment=environment,
            directory=Path.cwd(),
            stdout=self._out.fileno() if stdout is None else stdout,
            stderr=self._errors.fileno(),
        )

    def kill(self) -> None:
        """Kill it in a way it cannot notice."""
        self._process.kill()

    def send(self, number: Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self) -> Ended:
        """Wait for the end."""
        with self._files:
            status = self._process.wait()
            out, errors = (self._said(file) for file in (self._out, self._errors))
        return subprocess.CompletedProcess(self._arguments, status, out, errors)

    @staticmethod
    def _said(file: IO[str]) -> str:
        file.seek(0)
        return file.read()


@pytest.fixture
def shell(github: Sandbox, hook: Hook, tmp_path: Path) -> Shell:
    return Shell(github, hook, tmp_path / "checkpoint.json")


@pytest.fixture
def missed(receiver: Receiver, hook: Hook) -> list[str]:
    """Give the GUIDs of what was missed in an outage, oldest first."""
    receiver.stop()
    missed = [
        hook.emit("issues", "opened", at=ago(hours=4)),
        hook.emit("pull_request", "closed", at=ago(hours=3)),
    ]
    receiver.start()
    return missed


def arrived(github: Sandbox, receiver: Receiver) -> list[str]:
    github.settle()
    return sorted(received.guid for received in receiver.received())


def saved(file: Path) -> str:
    return str(json.loads(file.read_text())["checkpoint"])


# What it does.


def test_a_run_brings_back_what_was_missed_and_keeps_the_checkpoint_in_its_file(
    shell: Shell, receiver: Receiver, missed: list[str], clock: VirtualClock
) -> None:
    run = shell.run()

    assert (run.returncode, run.stderr) == (0, "")
    assert arrived(shell.github, receiver) == sorted(missed)
    assert saved(shell.file) == format_checkpoint(clock().replace(microsecond=0))
    assert shell.github.requests[0].path == "/rate_limit", "it knows the time"
    assert f"Redelivered: issues.opened {missed[0]}" in run.stdout
    assert run.stdout.splitlines()[-1] == "2 events failed: 2 pending"
    assert "\x1b" not in run.stdout


def test_the_next_run_goes_on_from_there_and_has_nothing_to_do(
    shell: Shell, receiver: Receiver, missed: list[str], clock: VirtualClock
) -> None:
    shell.run()
    before = arrived(shell.github, receiver)
    clock.advance(timedelta(hours=1))

    run = shell.run()

    assert (run.returncode, run.stderr) == (0, "")
    assert f"the checkpoint in file {shell.file}, less 10 min" in run.stdout
    assert arrived(shell.github, receiver) == before == sorted(missed)
    assert saved(shell.file) == format_checkpoint(clock().replace(microsecond=0))


def test_the_environment_alone_does_as_in_a_cron_job(
    shell: Shell, receiver: Receiver, missed: list[str]
) -> None:
    run = shell.run_bare(
        REDELIVER_TOKEN="",
        GH_TOKEN=TOKEN,
        REDELIVER_HOSTNAME="",
        GH_HOST=shell.github.url,
        REDELIVER_ORG=shell.hook.org,
        REDELIVER_HOOK_ID=str(shell.hook.id),
        REDELIVER_CHECKPOINT_FILE=str(shell.file),
        REDELIVER_VERIFY="0",
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert arrived(shell.github, receiver) == sorted(missed)


def test_the_checkpoint_may_be_kept_in_the_variable_that_workflows_use(
    shell: Shell, missed: list[str], clock: VirtualClock
) -> None:
    hook = ["--hook-id", str(shell.hook.id)]

    run = shell.run_bare(*shell.fast, *hook, "--variable-repository", "acme/ops")

    assert (run.returncode, run.stderr) == (0, "")
    variables = shell.github.repository("acme/ops").variables
    assert variables == {"LAST_REDELIVERY": format_checkpoint(clock().replace(microsecond=0))}
    assert len(missed) == 2


def test_the_checkpoint_may_be_kept_nowhere(
    shell: Shell, receiver: Receiver, missed: list[str]
) -> None:
    run = shell.run_bare(*shell.fast, "--hook-id", str(shell.hook.id), "--variable-name", "")

    assert (run.returncode, run.stderr) == (0, "")
    assert "no checkpoint is kept, so the whole --lookback" in run.stdout
    assert arrived(shell.github, receiver) == sorted(missed)
    assert shell.github.repository("acme/ops").variables == {}


def test_an_app_asks_with_the_key_from_its_file(
    shell: Shell, receiver: Receiver, missed: list[str], tmp_path: Path
) -> None:
    app = shell.github.app()
    app.install("acme")
    key = tmp_path / "key.pem"
    key.write_text(app.private_key)

    run = shell.run(
        "--app-id",
        str(app.id),
        "--private-key-file",
        str(key),
        REDELIVER_TOKEN="",
        GH_TOKEN="ghp_somebodys",
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert arrived(shell.github, receiver) == sorted(missed)
    assert "ghp_somebodys" not in {request.token for request in shell.github.requests}
    assert app.tokens
    assert [token.value for token in app.tokens if token.value in run.stdout] == []


def test_a_dry_run_changes_nothing(shell: Shell, receiver: Receiver, missed: list[str]) -> None:
    run = shell.run("--dry-run")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[-1] == "Dry run, 2 events failed: 2 would be redelivered"
    assert {request.method for request in shell.github.requests} == {"GET"}
    assert not shell.file.exists()
    assert arrived(shell.github, receiver) == []
    assert len(missed) == 2


def test_the_report_as_json_is_all_there_is_on_the_standard_output(
    shell: Shell, missed: list[str]
) -> None:
    run = shell.run("--json")

    told = json.loads(run.stdout)
    assert run.returncode == 0
    assert [event["guid"] for event in told["events"]] == missed
    assert (told["counts"]["redelivered"], told["omitted"]["events"]) == (2, 0)
    assert told["checkpoint"] == saved(shell.file)
    assert f"Redelivered: issues.opened {missed[0]}" in run.stderr


# What a person sees.


def in_a_terminal(shell: Shell, *flags: str, columns: int = 160, **environment: str) -> Ended:
    """Run the command in a terminal; its output has all that the terminal is sent."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [COMMAND, *shell.flags, *flags],
        env=shell.environment(TERM="xterm-256color", **environment),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    sent = b""
    with suppress(OSError):  # which is how a terminal ends
        while chunk := os.read(master, 65536):
            sent += chunk
    os.close(master)
    return subprocess.CompletedProcess(process.args, process.wait(), sent.decode(), "")


def without_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_terminal_shows_a_bar_and_then_a_table(
    shell: Shell, receiver: Receiver, missed: list[str]
) -> None:
    run = in_a_terminal(shell, "--verify", "5s")

    assert run.returncode == 0, run.stdout
    assert arrived(shell.github, receiver) == sorted(missed)
    lasting, _, after = run.stdout.partition("\x1b[?25h")  # the cursor is back
    assert "\x1b[?25l" in lasting
    assert re.search("Redelivering .*━", lasting)
    assert re.search("Waiting for the log: seconds .*━.* 0 of 5", lasting)
    assert f"Recovered: issues.opened {missed[0]}" in lasting
    row = rf"^ *issues\.opened +{missed[0]} +[34] h \d+ min +2 +OK, 200 +recovered[ \r]*$"
    assert re.search(row, without_colors(after), flags=re.MULTILINE)
    end = without_colors(after).splitlines()
    assert "2 events failed: 2 recovered" in end
    assert end[-1].startswith("Checkpoint saved: ")


def test_of_several_webhooks_the_table_names_each(shell: Shell, missed: list[str]) -> None:
    other = shell.github.org("acme").hook("http://127.0.0.1:9/hook")

    run = in_a_terminal(shell, "--hook-id", str(other.id), "--dry-run")

    table = without_colors(run.stdout.partition("\x1b[?25h")[2])
    row = rf" {missed[0]} .* would be redelivered +{shell.hook.id}[ \r]*$"
    assert re.search(row, table, flags=re.MULTILINE)


def test_a_narrow_terminal_shows_guids_in_one_piece(shell: Shell, missed: list[str]) -> None:
    run = in_a_terminal(shell, "--dry-run", columns=80)

    table = without_colors(run.stdout.partition("\x1b[?25h")[2])
    for guid in missed:
        assert f" {guid} " in table


def test_a_terminal_shows_what_needs_attention_first_and_a_screenful_at_most(shell: Shell) -> None:
    newest = 0
    for number in range(60):
        at = ago(minutes=90 - number)
        newest = shell.hook.record(guid=f"guid-{number}", status="oh", status_code=500, at=at)
    shell.github.inject(Status(422, "Cannot"), method="POST", path=f".*/{newest}/attempts")

    run = in_a_terminal(shell)

    after = without_colors(run.stdout.partition("\x1b[?25h")[2])
    told = re.findall(r"guid-(\d+)", after)
    assert run.returncode == 1, run.stdout
    assert told == ["59", *map(str, range(49))]
    assert "And 10 more, in the lines above" in after


def test_what_comes_from_outside_is_no_markup_in_a_terminal(shell: Shell) -> None:
    hostile = "[red]x[/red] [bold :smile: \x1b[31mpwned\x07 [link=https://evil.example]y"
    shell.hook.record(event=hostile, guid=hostile, status=hostile, status_code=500, at=ago(hours=1))

    run = in_a_terminal(shell, "--dry-run", columns=400)

    plain = without_colors(run.stdout)
    assert run.returncode == 0, run.stdout
    assert plain.count("[red]x[/red] [bold :smile: [31mpwned [URL removed]") == 6
    assert "evil" not in run.stdout
    assert "\x07" not in run.stdout


@pytest.mark.parametrize(
    ("no_color", "colors"),
    [pytest.param("", {"31", "33"}, id="usually"), pytest.param("1", set(), id="with NO_COLOR")],
)
def test_a_terminal_has_colors_unless_they_are_not_wanted(
    shell: Shell, no_color: str, colors: set[str]
) -> None:
    refused(shell)
    given_up(shell)

    run = in_a_terminal(shell, NO_COLOR=no_color)

    assert run.returncode == 1, run.stdout
    assert set(re.findall(r"\x1b\[(3[0-7])m", run.stdout)) == colors


def test_a_quiet_run_ends_in_a_terminal_without_a_table(shell: Shell) -> None:
    run = in_a_terminal(shell)

    assert run.returncode == 0, run.stdout
    assert "Last status" not in run.stdout
    assert without_colors(run.stdout).splitlines()[-1] == "Nothing to redeliver"


def test_help_tells_of_flags_environment_and_exit_statuses(shell: Shell) -> None:
    run = shell.run_bare("--help")

    assert (run.returncode, run.stderr) == (0, "")
    told = " ".join(run.stdout.split())
    for each in ("Which webhook: --org NAME", "--help", "--version", "REDELIVER_TOKEN, GH_TOKEN"):
        assert each in told
    for status, meaning in EXIT_STATUSES.items():
        assert f"{status} {meaning}" in told
    assert shell.github.requests == []


def test_the_version_is_that_of_the_package(shell: Shell) -> None:
    assert shell.run_bare("--version").stdout == f"redeliver {redeliver.__version__}\n"


def test_a_module_that_is_run_with_arguments_is_the_command(shell: Shell) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-m", "redeliver", "--version"],
        env=shell.environment(),
        check=True,
        capture_output=True,
        text=True,
    )

    assert run.stdout == f"redeliver {redeliver.__version__}\n"


# What it ends with.


def usual(_shell: Shell) -> None:
    """Leave all as it is."""


def refused(shell: Shell) -> None:
    shell.hook.record(status="oh", status_code=500, at=ago(hours=1))
    shell.github.inject(Status(422, "Cannot"), method="POST")


def given_up(shell: Shell) -> None:
    shell.hook.record(status="oh", status_code=500, at=ago(hours=1), redelivery=True)


def with_something_else_in_the_file(shell: Shell) -> None:
    shell.file.write_text("hunter2")


def with_a_redirect(shell: Shell) -> None:
    shell.github.inject(Status(302, "Found", headers={"Location": "/"}))


def limited(shell: Shell) -> None:
    shell.github.inject(Status(429, "Slow down", headers={"Retry-After": "4000"}))


def without_a_directory(shell: Shell) -> None:
    shell.file.parent.rmdir()


Scene: TypeAlias = Callable[[Shell], None]
EventResult: TypeAlias = tuple[int, Scene, list[str], dict[str, str], str]

OUTCOMES: dict[str, EventResult] = {
    "all is well": (0, usual, [], {}, ""),
    "a refusal": (1, refused, [], {}, "Error: of 1 event that failed: 1 refused. The log says"),
    "something given up": (
        0,
        given_up,
        [],
        {},
        "Warning: 1 event given up .first attempt older than --give-up-after, .* the log names",
    ),
    "something given up that is not to be": (
        1,
        given_up,
        ["--fail-on", "unrecovered"],
        {},
        "Error: of 1 event that failed: 1 given up, and --fail-on is unrecovered",
    ),
    "a wrong flag": (64, usual, ["--no-such-thing"], {}, "Error: unknown flag"),
    "a wrong input": (64, usual, ["--lookback", "s0on"], {}, "Error: --lookback must be"),
    "two wrong inputs": (
        64,
        usual,
        ["--hook-id", "x", "--probe", "s0on"],
        {},
        "--hook-id must be set to the webhook's id.*--probe must be a whole",
    ),
    "no token": (
        64,
        usual,
        [],
        {"REDELIVER_TOKEN": ""},
        "Error: REDELIVER_TOKEN or GH_TOKEN must be set, or --app-id and --private-key-file",
    ),
    "a secret for all to see": (64, usual, ["--org", TOKEN], {}, "Error: what looks like a secret"),
    "no checkpoint in the file": (
        65,
        with_something_else_in_the_file,
        [],
        {},
        "Error: file .*checkpoint.json does not hold a checkpoint",
    ),
    "not GitHub": (
        69,
        with_a_redirect,
        [],
        {},
        "Error: cannot ask GitHub for the time.*REDELIVER_HOSTNAME",
    ),
    "no directory": (73, without_a_directory, [], {}, "Error: cannot open .*checkpoint.json.lock"),
    "a rate limit": (75, limited, [], {}, "Error: .* the rate limit of the token in REDELIVER_TOK"),
    "a wrong token": (
        77,
        usual,
        [],
        {"REDELIVER_TOKEN": "ghp_wr0ng"},
        "It does not know the token in REDELIVER_TOKEN, which is mistyped, expired",
    ),
    "a wrong token of gh": (
        77,
        usual,
        [],
        {"REDELIVER_TOKEN": "", "GH_TOKEN": "ghp_wr0ng"},
        "It does not know the token in GH_TOKEN, which",
    ),
}


@pytest.mark.parametrize("what", OUTCOMES)
def test_the_exit_status_says_what_to_do_about(shell: Shell, what: str) -> None:
    status, set_up, flags, environment, error = OUTCOMES[what]
    set_up(shell)

    run = shell.run(*flags, **environment)

    assert run.returncode == status, run.stderr
    assert re.search(error, run.stderr)
    lines = [line.partition(": ")[0] for line in run.stderr.splitlines()]
    assert lines in ([], ["Warning"], ["Error"], ["Warning", "Error"])
    for secret in (TOKEN, "ghp_wr0ng", "hunter2", "s0on"):
        assert secret not in run.stdout + run.stderr
    if status == os.EX_USAGE:
        assert shell.github.requests == []


def test_a_bug_ends_in_70_and_keeps_its_traceback(shell: Shell) -> None:
    run = shell.run_anew(sys.executable, "-I", "-c", WITHOUT_SLEEP)

    assert run.returncode == 70
    assert run.stderr.startswith("Traceback (most recent call last):\n")
    assert "this is a bug in redeliver: please report it" in run.stderr
    assert TOKEN not in run.stderr


def test_a_report_that_cannot_be_written_ends_in_74(shell: Shell, missed: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        run = shell.run_bare(*shell.flags, "--json", stdout=full.fileno())

    assert run.returncode == 74, run.stderr
    assert run.stderr.splitlines()[-1].startswith("Error: the report could not be written")
    assert saved(shell.file)
    assert len(missed) == 2


def test_a_command_that_is_not_installed_completely_ends_in_69(shell: Shell) -> None:
    run = shell.run_anew(sys.executable, "-I", "-c", WITHOUT_THE_EXTRA)

    assert run.returncode == 69
    assert run.stderr == "redeliver: the command needs more: pip install 'redeliver[cli]'\n"


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
def test_a_run_that_is_stopped_ends_at_once_with_the_signals_status(
    shell: Shell, number: Signals
) -> None:
    running = Future[Running]()
    stop = Meanwhile(lambda: running.result().send(number))
    shell.github.inject(stop, path=".*/deliveries")
    shell.github.inject(Delay(30), path=".*/deliveries")
    running.set_result(shell.start())

    run = running.result().wait()

    assert run.returncode == 128 + number, run.stderr
    assert run.stderr.startswith(f"Error: stopped by {number.name}. Nothing is lost")


def test_a_run_while_another_is_at_it_ends_in_75_and_changes_nothing(
    shell: Shell, receiver: Receiver, missed: list[str]
) -> None:
    second = Future[Ended]()
    shell.github.inject(
        Meanwhile(lambda: second.set_result(shell.run())), method="POST", path=".*/attempts"
    )

    first = shell.run()

    assert first.returncode == 0, first.stderr
    assert second.result().returncode == 75
    assert second.result().stdout == ""
    assert second.result().stderr.startswith(
        f"Error: another run uses {shell.file}: it holds {shell.file}.lock. "
    )
    assert arrived(shell.github, receiver) == sorted(missed)
    assert [each.path for each in shell.github.requests].count("/rate_limit") == 1


def test_every_exit_status_there_is_was_reached() -> None:
    elsewhere = {70, 74, 128 + SIGINT, 128 + SIGTERM}

    assert {status for status, *_ in OUTCOMES.values()} | elsewhere == EXIT_STATUSES.keys()


# What it survives.


def test_a_run_that_nobody_listens_to_does_all_the_same(
    shell: Shell, receiver: Receiver, missed: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)

    run = shell.run_bare(*shell.flags, stdout=write)
    os.close(write)

    assert (run.returncode, run.stderr) == (0, "")
    assert arrived(shell.github, receiver) == sorted(missed)


def test_an_output_that_was_closed_takes_nothing() -> None:
    closed = Stream(None)
    closed.write("said in vain")

    assert closed.is_broken
    assert not closed.is_terminal


def test_an_output_that_has_not_all_characters_is_no_reason_to_fail(
    shell: Shell,
) -> None:
    shell.hook.record(event="fête", status="oh", status_code=500, at=ago(hours=1))

    run = shell.run_anew(COMMAND, PYTHONIOENCODING="ascii")

    assert (run.returncode, run.stderr) == (0, "")
    assert "Redelivered: f?te " in run.stdout


def test_a_secret_that_is_sent_back_is_not_shown(shell: Shell) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cretOfTheApp\n-----END RSA PRIVATE KEY-----"
    shell.hook.record(
        event=f"{TOKEN}x", guid=TOKEN, status=f"a {TOKEN} b", status_code=500, at=ago(hours=1)
    )

    plain, report, app, seen = (
        shell.run("--dry-run"),
        shell.run("--dry-run", "--json"),
        shell.run("--app-id", "1", REDELIVER_TOKEN="", REDELIVER_PRIVATE_KEY=key),
        in_a_terminal(shell, "--dry-run"),
    )

    assert (plain.returncode, report.returncode, seen.returncode) == (0, 0, 0)
    assert app.returncode == 64
    for run in (plain, report, app, seen):
        assert TOKEN not in run.stdout + run.stderr
        assert "MIIE" not in run.stdout + run.stderr
    assert json.loads(report.stdout)["events"][0]["guid"] == "[token removed]"


# Whatever kills it.

START = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
SCHEDULE = timedelta(hours=6)


@dataclass(frozen=True)
class World:
    """An outage that is over."""

    shell: Shell
    receiver: Receiver
    clock: VirtualClock
    missed: list[str]
    before: int

    def run(self) -> None:
        """Run in this process, to whatever end that comes."""
        hook = self.shell.hook
        where = {"hostname": self.shell.github.url, "org": hook.org, "hook-id": str(hook.id)}
        usual = {"token": TOKEN, "variable-name": "", "verify": "0"}
        with locked(self.shell.file):
            wiring.redeliver(
                settings.parse(GOOD_INPUTS | where | usual),
                FakeConsole(),
                store_in=lambda clock: CheckpointFile(self.shell.file, clock=clock),
            )

    def recover(self) -> None:
        """Run at once, when the log does not show yet what was just done, and as scheduled."""
        self.shell.github.settle()
        for pause in (timedelta(minutes=1), SCHEDULE, SCHEDULE):
            self.clock.advance(pause)
            self.run()
            self.shell.github.settle()

    def taken(self) -> Counter[str]:
        """Count what the receiver took since, by GUID."""
        received = self.receiver.received()[self.before :]
        return Counter(each.guid for each in received if each.status == 200)


@contextmanager
def outage(
    directory: Path, *, has_checkpoint: bool, fault: Fault | None = None, at: int = 1
) -> Iterator[World]:
    """Set the scene for a run that is spoilt by the fault at one request."""
    clock = VirtualClock(START)
    file = directory / "checkpoint.json"
    if has_checkpoint:
        CheckpointFile(file, clock=lambda: START - SCHEDULE).write(START - SCHEDULE)
    with Receiver() as receiver, Sandbox(clock=clock) as github:
        if fault:
            github.inject(fault, nth=at)
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        receiver.behave(status=503)
        missed = [hook.emit("push", at=START - timedelta(hours=hours)) for hours in (5, 4, 2)]
        receiver.behave()
        refused = next(row["id"] for row in hook.log if row["guid"] == missed[1])
        github.inject(Status(422, "Cannot"), method="POST", path=f".*/{refused}/attempts")
        github.show_late(300)  # so that no run sees at once what it has done
        yield World(
            shell=Shell(github, hook, file),
            receiver=receiver,
            clock=clock,
            missed=missed,
            before=len(receiver.received()),
        )


def killed(directory: Path, at: int, *, has_checkpoint: bool, after: bool) -> None:
    running = Future[Running]()
    kill = Meanwhile(lambda: running.result().kill(), after=after)
    with outage(directory, has_checkpoint=has_checkpoint, fault=kill, at=at) as world:
        running.set_result(world.shell.start())
        assert running.result().wait().returncode == -SIGKILL
        world.recover()
        assert world.taken() == Counter(world.missed), f"{at=}, {has_checkpoint=}, {after=}"


@pytest.mark.unmeasured
@pytest.mark.parametrize("has_checkpoint", [False, True], ids=["a first run", "a later run"])
def test_a_run_killed_before_or_after_any_request_loses_nothing_and_repeats_nothing(
    tmp_path: Path, add_to_summary: Callable[[str], None], *, has_checkpoint: bool
) -> None:
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    with outage(undisturbed, has_checkpoint=has_checkpoint) as world:
        world.run()
        requests = world.shell.github.requests
        world.recover()
        assert world.taken() == Counter(world.missed)
    points = []
    for at in range(1, len(requests) + 1):
        for after in (False, True):
            directory = tmp_path / f"{at}-{after}"
            directory.mkdir()
            points.append(
                partial(killed, directory, at, has_checkpoint=has_checkpoint, after=after)
            )
    with ThreadPoolExecutor(max_workers=4) as pool:
        for each in [pool.submit(point) for point in points]:
            each.result()
    kind = "later" if has_checkpoint else "first"
    add_to_summary(
        f"{len(points)} points: a {kind} run with a file is killed before and after each request"
    )
