"""The program, or the receiver, in a process of its own that has been through its imports already.

They are most of what it takes here, and more so with coverage. So one process does them, and
every run forks from that: with arguments, environment, directory, output, signals and exit status
of its own. What a new interpreter makes of its environment and finds to import is for one to show.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from signal import SIGKILL
from threading import Lock

from tests.support import nursery
from tests.support.action_run import coverage_variables
from tests.support.nursery import NUMBER, SIZE


class Run:
    """A run under way, as `subprocess.Popen` shows it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._status: int | None = None
        self._pid = self._heard()

    def kill(self) -> None:
        self.send_signal(SIGKILL)

    def send_signal(self, sig: int, /) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):  # it is over, which nobody has waited for yet
                os.kill(self._pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            self._line.settimeout(timeout)
            try:
                self._status = self._heard()
            except TimeoutError:
                raise subprocess.TimeoutExpired("redeliver", timeout or 0) from None
            self._line.close()
        return self._status

    def _heard(self) -> int:
        told = self._line.recv(NUMBER.size)
        if not told:
            raise ChildProcessError("nobody keeps this run")
        number: int
        (number,) = NUMBER.unpack(told)
        return number


class Nursery:
    """Where runs begin. It ends with this process."""

    def __init__(self, *imports: str, flags: Sequence[str]) -> None:
        """Do these imports with these flags of the interpreter."""
        self._lock = Lock()
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self._wishes, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *flags, nursery.__file__, str(theirs.fileno()), *imports],
                env=coverage_variables(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is meant for us
            )

    def begin(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str],
        directory: Path,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
    ) -> Run:
        """Begin a module, or the script at an absolute path; without `stdin` there is no input."""
        wish = json.dumps(
            {
                "program": program,
                "arguments": arguments,
                "environment": dict(environment),
                "directory": str(directory),
            }
        ).encode()
        line, theirs = socket.socketpair()
        with theirs, self._lock:
            stdin = self._nothing if stdin is None else stdin
            files = [theirs.fileno(), stdin, stdout, stderr]
            socket.send_fds(self._wishes, [SIZE.pack(len(wish))], files)
            self._wishes.sendall(wish)
        return Run(line)

    def close(self) -> None:
        os.close(self._nothing)
        self._wishes.close()
        self._process.wait()


@cache
def imported(*imports: str, flags: tuple[str, ...] = ()) -> Nursery:
    """Give the one nursery that there is of the kind."""
    one = Nursery(*imports, flags=flags)
    atexit.register(one.close)
    return one
