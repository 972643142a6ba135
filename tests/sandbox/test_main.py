"""The sandbox as a program: python -m github_sandbox."""

import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
import requests

from tests.sandbox.client import eventually

PROGRAM = [sys.executable, "-W", "error", "-m", "github_sandbox", "--port", "0"]

SECONDS_TO_LIVE = 60
"""Afterwards the program is killed. Otherwise a test would wait for ever for a missing line."""

IN_BACKGROUND = """
import fcntl, os, subprocess, sys, termios, time

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = subprocess.Popen(sys.argv[1:], process_group=0)
time.sleep(float(os.environ["SECONDS"]))
os.tcsetpgrp(0, child.pid)
sys.exit(child.wait())
"""
"""Runs a program as a shell does with `&`, and puts it in the foreground later, as with `fg`."""


class Program:
    """The running program, and the instructions that it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self._stdout = process.stdout
        self.process = process
        self.instructions = self.read_until("Press Ctrl-C")

    def read_until(self, word: str) -> str:
        """Read lines up to the one with this word."""
        text = ""
        while word not in text:
            line = self._stdout.readline()
            assert line, text
            text += line
        return text

    def type(self, *lines: str) -> None:
        """Type lines."""
        assert self.process.stdin
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def commands(self, word: str) -> list[str]:
        """Return the commands of the instructions that have this word, each with its lines."""
        blocks = re.findall(r"(?:^    .*\\\n)*^    .*\n", self.instructions, flags=re.MULTILINE)
        return [block for block in blocks if word in block]

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send a signal, and check that the program ends without an error."""
        self.process.send_signal(number)
        self.check_end()

    def check_end(self) -> None:
        """Check that the program ends without an error, and without more output."""
        assert self._stdout.read() == ""
        _, stderr = self.process.communicate(timeout=30)
        assert (self.process.returncode, stderr) == (0, "")


@contextmanager
def running(
    *flags: str, stdin: int = subprocess.PIPE, program: list[str] = PROGRAM
) -> Iterator[Program]:
    """Run the program until the block ends."""
    with subprocess.Popen(
        [*program, *flags],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"SECONDS": "1.5"},
        start_new_session=True,
    ) as process:
        killer = Timer(SECONDS_TO_LIVE, process.kill)
        killer.start()
        try:
            yield Program(process)
        finally:
            killer.cancel()
            process.kill()


def run_in_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the instructions as a user does, outside of a workflow."""
    directory = shlex.quote(str(Path(sys.executable).parent))
    return subprocess.run(
        ["sh", "-c", command.replace(".venv/bin", directory)],
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def log(program: Program) -> list[int]:
    """Return the status codes in the delivery log, newest first."""
    (command,) = (line for line in program.commands("curl") if "POST" not in line)
    *_, authorization, url = shlex.split(command)
    name, value = authorization.split(": ")
    rows = requests.get(url, headers={name: value}, timeout=10).json()
    return [row["status_code"] for row in rows]


@pytest.mark.parametrize(
    ("flag", "value", "advice"),
    [
        pytest.param(
            "--port", "99999", "a number from 0 to 65535, where 0 means any", id="an invalid port"
        ),
        pytest.param("--port", "taken", "choose another port, or 0", id="a port that is taken"),
        pytest.param("--failures", "0", "a number from 1 to 1000", id="an invalid number"),
    ],
)
def test_the_command_gives_advice_on_an_invalid_flag(flag: str, value: str, advice: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = subprocess.run(
            [sys.executable, "-m", "github_sandbox", flag, value.replace("taken", port)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert process.returncode == 2
    assert f"error: argument {flag}: " in process.stderr
    assert advice in process.stderr


def test_the_program_says_what_failed_and_ends_on_ctrl_c() -> None:
    with running("--failures", "5") as program:
        assert "Of its 10 deliveries in the last\n12 hours, 5 failed: push (503), pull_" in (
            program.instructions
        )
        assert [status for status in log(program) if status != 200] == [503, 400, 500, 502, 503]
        program.stop()


def test_the_printed_command_redelivers_what_failed() -> None:
    with running() as program:
        (command,) = program.commands("bin/redeliver")
        dry_run = run_in_shell(f"{command.rstrip()} --dry-run")
        run = run_in_shell(command)
        program.stop()

    assert (dry_run.returncode, dry_run.stderr) == (0, "")
    assert dry_run.stdout.endswith("Dry run, 8 events failed: 8 would be redelivered\n")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("8 events failed: 8 recovered\n")


def test_each_printed_flag_can_be_added_to_the_command() -> None:
    """Only --probe makes no difference to a dry run."""
    with running() as program:
        (command,) = program.commands("bin/redeliver")
        _, _, rest = program.instructions.partition("Other flags to try: ")
        flags = re.split(r",\s+(?=--)", rest.partition(".\n")[0])
        endings = {
            flag: run_in_shell(f"{command.rstrip()} --dry-run {flag}").stdout.splitlines()[-1]
            for flag in flags
        }
        program.stop()

    assert endings == {
        "--lookback 4h": "Dry run, 2 events failed: 2 would be redelivered",
        "--give-up-after 5h": "Dry run, 8 events failed: 3 would be redelivered, 5 given up",
        "--events 'push, check_*'": "Dry run, 4 events failed: 4 would be redelivered",
        "--probe 2": "Dry run, 8 events failed: 8 would be redelivered",
        "--skip-status-codes 400": "Dry run, 6 events failed: 6 would be redelivered",
        "--max-redeliveries 3": "Dry run, 8 events failed: 3 would be redelivered, 5 deferred",
    }


def test_the_printed_action_command_keeps_the_terminal_clean() -> None:
    """Only one line is for a runner. The outputs and the summary are in files."""
    with running() as program:
        (command,) = program.commands("-m redeliver")
        run = run_in_shell(command)
        variables = dict(word.split("=") for word in shlex.split(command) if "=" in word)
        outputs = Path(variables["GITHUB_OUTPUT"])
        summary = Path(variables["GITHUB_STEP_SUMMARY"])
        assert "\nrecovered<<" in outputs.read_text()
        assert summary.read_text().startswith("### redeliver: 8 events failed: 8 recovered")
        program.stop()

    assert (run.returncode, run.stderr) == (0, "")
    assert re.findall("^::.*", run.stdout, flags=re.MULTILINE) == ["::add-mask::sandbox-token"]
    assert not outputs.parent.exists()


def test_a_printed_token_lacks_the_permission_to_redeliver() -> None:
    with running() as program:
        assert "read-only-token cannot redeliver" in program.instructions
        (command,) = program.commands("bin/redeliver")
        run = run_in_shell(command.replace("sandbox-token", "read-only-token"))
        program.stop()

    assert run.returncode == 1
    assert "the organization permission 'Webhooks' (read and write)" in run.stderr
    assert re.search("8 events failed: [1-8] refused", run.stdout)


def test_a_printed_token_lacks_the_permission_for_variables() -> None:
    with running() as program:
        assert "no-variables-token cannot read or write the variable" in program.instructions
        (command,) = program.commands("-m redeliver")
        run = run_in_shell(command.replace("sandbox-token", "no-variables-token"))
        program.stop()

    assert run.returncode == 1
    assert "the repository permission 'Variables' (read and write)" in run.stdout


def test_a_printed_request_redelivers_the_newest_failure() -> None:
    with running() as program:
        (command,) = program.commands("POST")
        *_, authorization, _, _, url = shlex.split(command.replace("\\\n", ""))
        name, value = authorization.split(": ")
        assert requests.post(url, headers={name: value}, timeout=10).status_code == 202
        eventually(lambda: len(log(program)) == 17)
        assert log(program)[:3] == [200, 200, 400]
        program.stop()


def test_a_user_sees_a_probe_fail_and_the_next_run_recover() -> None:
    """The receiver is brought up, and time passes, while the program runs."""
    with running("--failures", "4") as program:
        (command,) = program.commands("bin/redeliver")
        program.type("fail 503", "send 4")
        program.read_until("Sent 4: 0 delivered, 4 failed.")
        while_failing = run_in_shell(f"{command.rstrip()} --probe 2")
        program.type("up")
        program.read_until("status 200")
        soon = run_in_shell(command)
        program.type("later 20m")
        program.read_until("it is now")
        later = run_in_shell(command)
        program.type("quit", "send 4")
        assert program.read_until("Stopping") == "Stopping.\n"
        program.check_end()

    assert while_failing.stdout.endswith("8 events failed: 2 still failing, 6 deferred\n")
    assert soon.stdout.endswith("8 events failed: 7 recovered, 1 deferred\n")
    assert later.stdout.endswith("1 event failed: 1 recovered\n")


def test_the_last_line_of_the_input_needs_no_newline() -> None:
    with running() as program:
        assert program.process.stdin
        program.process.stdin.write("\ndown\nup")
        program.process.stdin.close()
        program.read_until("is down")
        program.read_until("is up")
        program.process.stdin = None
        program.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_without_input_the_program_runs_until_a_signal(number: signal.Signals) -> None:
    with running(stdin=subprocess.DEVNULL) as program:
        time.sleep(0.5)
        assert len(log(program)) == 16
        program.stop(number)


def test_with_a_closed_input_the_program_runs_until_a_signal() -> None:
    with running(program=["sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM]) as program:
        time.sleep(0.5)
        assert len(log(program)) == 16
        program.stop()


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Open a terminal, and return the user's end and the program's end."""
    user, program = pty.openpty()
    yield user, program
    os.close(user)
    os.close(program)


def test_after_ctrl_d_the_program_says_how_to_stop_it(terminal: tuple[int, int]) -> None:
    user, stdin = terminal
    with running(stdin=stdin) as program:
        os.write(user, b"down\n\x04")
        program.read_until("is down")
        assert program.read_until("Ctrl-C").startswith("This program no longer reads commands.")
        program.stop()


def test_in_the_background_the_program_is_not_stopped(terminal: tuple[int, int]) -> None:
    """The shell stops other programs that read from the terminal, so they would not respond."""
    user, stdin = terminal
    in_background = [sys.executable, "-c", IN_BACKGROUND, *PROGRAM]
    with running(stdin=stdin, program=in_background) as program:
        os.write(user, b"down\n")
        time.sleep(0.5)
        assert len(log(program)) == 16
        program.read_until("is down")
        os.write(user, b"quit\n")
        program.read_until("Stopping")
        program.check_end()
