"""Run redeliver's command as a shell does, against the sandbox."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from tempfile import TemporaryFile
from typing import IO

from github_sandbox import Hook, Sandbox
from tests.support.builders import TOKEN
from tests.support.fork_server import coverage_variables, fork_server

EXECUTABLE = str(Path(sys.executable).with_name("redeliver"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The result of a run."""

    status: int
    stdout: str
    stderr: str


class RunningCommand:
    """A run that has started. Its caller has to wait for its end."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, stdout: int | None
    ) -> None:
        """Start the command. Its output goes to the file descriptor `stdout`, or to the result."""
        with ExitStack() as files:
            self._stdout = files.enter_context(TemporaryFile("w+"))
            self._stderr = files.enter_context(TemporaryFile("w+"))
            self._files = files.pop_all()
        self._process = fork_server(
            "redeliver.cli.main", "redeliver.cli.flags", "redeliver.cli.job"
        ).start(
            EXECUTABLE,
            *arguments,
            environment=environment,
            directory=Path.cwd(),
            stdout=self._stdout.fileno() if stdout is None else stdout,
            stderr=self._stderr.fileno(),
        )

    def kill(self) -> None:
        """Kill the process, which gets no chance to react."""
        self._process.kill()

    def send_signal(self, number: Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until the process has printed a text so many times."""
        deadline = time.monotonic() + 20
        while (printed := self._printed()).count(text) < times:
            assert time.monotonic() < deadline, printed
            time.sleep(0.01)

    def _printed(self) -> str:
        """Return what both streams have so far. The process's position in the files stays."""
        descriptors = (file.fileno() for file in (self._stdout, self._stderr))
        return "".join(os.pread(file, 1_000_000, 0).decode() for file in descriptors)

    def wait(self, *, timeout: float | None = None) -> CommandResult:
        """Wait until the process ends, or raise `subprocess.TimeoutExpired`."""
        with self._files:
            return CommandResult(
                status=self._process.wait(timeout),
                stdout=self._content(self._stdout),
                stderr=self._content(self._stderr),
            )

    @staticmethod
    def _content(file: IO[str]) -> str:
        file.seek(0)
        return file.read()


@dataclass(frozen=True)
class Command:
    """The command for one webhook, with a file for the checkpoint."""

    github: Sandbox
    hook: Hook
    checkpoint_file: Path

    @property
    def flags(self) -> list[str]:
        """The flags of most runs."""
        file = ["--checkpoint-file", str(self.checkpoint_file)]
        return [*self.flags_without_file, *file]

    @property
    def flags_without_file(self) -> list[str]:
        """The flags of most runs that keep the checkpoint elsewhere."""
        # Verification takes real time.
        return ["--org", self.hook.org, "--hook-id", str(self.hook.id), "--verify", "0"]

    @property
    def checkpoint(self) -> str:
        """The checkpoint in the file."""
        return str(json.loads(self.checkpoint_file.read_text())["checkpoint"])

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the environment of most runs with changes. Empty variables are left out."""
        defaults = {"REDELIVER_TOKEN": TOKEN, "REDELIVER_HOSTNAME": self.github.url}
        variables = coverage_variables() | defaults | changes
        return {name: text for name, text in variables.items() if text}

    def start(self, *flags: str, **environment: str) -> RunningCommand:
        """Start the command with these flags in addition to the usual ones."""
        return RunningCommand([*self.flags, *flags], self.environment(**environment), stdout=None)

    def run(self, *flags: str, **environment: str) -> CommandResult:
        """Run the command with these flags in addition to the usual ones."""
        return self.start(*flags, **environment).wait()

    def run_with(
        self, *arguments: str, stdout: int | None = None, **environment: str
    ) -> CommandResult:
        """Run the command with these arguments and no others."""
        return RunningCommand(arguments, self.environment(**environment), stdout=stdout).wait()

    def run_new_process(self, *program: str, **environment: str) -> CommandResult:
        """Run a program with the usual flags, in a process that is not forked."""
        process = subprocess.run(
            [*program, *self.flags],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        return CommandResult(
            status=process.returncode, stdout=process.stdout, stderr=process.stderr
        )

    def run_in_terminal(
        self, *flags: str, columns: int = 160, closes: bool = False, **environment: str
    ) -> CommandResult:
        """Run the command in a terminal. `stdout` has all that the terminal gets.

        With `closes`, the terminal is gone after its first character.
        """
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen(
            [EXECUTABLE, *self.flags, *flags],
            env=self.environment(TERM="xterm-256color", **environment),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        if closes:
            os.read(master, 1)
            os.close(master)
            return CommandResult(status=process.wait(), stdout="", stderr="")
        output = b""
        with suppress(OSError):  # the command has closed the terminal
            while chunk := os.read(master, 65536):
                output += chunk
        os.close(master)
        return CommandResult(status=process.wait(), stdout=output.decode(), stderr="")
