"""Fork runs of a program from a server process that has already done the program's imports.

Imports take most of the time of a run, and more with coverage: the 95 whole runs of the tests take
33 s as forks, and 67 s in new interpreters. `multiprocessing` has a fork server too, but that
inherits the flags of the interpreter that runs the tests, and redeliver needs its own.

A run has arguments, environment, working directory, output, signals and exit status of its own.
Only a new interpreter shows how Python itself uses `PYTHON…` variables, and which modules it
imports from the working directory.

The tests import this file; the server process runs it as a script. Flags may isolate the server
from everything but the standard library, so this file imports nothing else.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from signal import SIGKILL
from typing import TextIO

INTEGER = struct.Struct("=i")
"""How the server sends the id of a run's process, and later its exit status."""

COVERAGE_PREFIX = "COVERAGE_"


def coverage_variables() -> dict[str, str]:
    """Return the environment variables that coverage needs to measure a process."""
    return {name: text for name, text in os.environ.items() if name.startswith(COVERAGE_PREFIX)}


class ForkedProcess:
    """A run, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, connection: socket.socket) -> None:
        """Use `ForkServer.start`."""
        self._connection = connection
        self._exit_status: int | None = None
        self._pid = self._receive()

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.send_signal(SIGKILL)

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, unless `wait` has seen its end."""
        if self._exit_status is None:
            with suppress(ProcessLookupError):  # it has ended by now
                os.kill(self._pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, or raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        if self._exit_status is None:
            self._connection.settimeout(timeout)
            try:
                self._exit_status = self._receive()
            except TimeoutError:
                raise subprocess.TimeoutExpired("redeliver", timeout or 0) from None
            self._connection.close()
        return self._exit_status

    def _receive(self) -> int:
        data = self._connection.recv(INTEGER.size)
        if not data:
            raise ChildProcessError("the fork server, or the run's supervisor, has ended")
        number: int
        (number,) = INTEGER.unpack(data)
        return number


class ForkServer:
    """A Python process with these flags that has imported these modules."""

    def __init__(self, *imports: str, flags: Sequence[str]) -> None:
        """Start the process."""
        self._requests, server_end = socket.socketpair()
        with server_end:
            self._process = subprocess.Popen(
                [sys.executable, *flags, __file__, str(server_end.fileno()), *imports],
                env=coverage_variables(),
                pass_fds=[server_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the tests alone
            )

    def start(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str],
        directory: Path,
        stdout: int,
        stderr: int,
    ) -> ForkedProcess:
        """Start a run of a module, or of the script at an absolute path. It has no input."""
        request = {
            "program": program,
            "arguments": arguments,
            "environment": dict(environment),
            "directory": str(directory),
        }
        connection, server_end = socket.socketpair()
        with server_end:
            # A message needs at least one byte; the file descriptors are what matters.
            socket.send_fds(self._requests, [b"\0"], [server_end.fileno(), stdout, stderr])
        connection.sendall(json.dumps(request).encode() + b"\n")
        return ForkedProcess(connection)

    def close(self) -> None:
        """End the process."""
        self._requests.close()
        self._process.wait()


@cache
def fork_server(*imports: str, flags: tuple[str, ...] = ()) -> ForkServer:
    """Return the server with these imports and flags; it ends with this process."""
    server = ForkServer(*imports, flags=flags)
    atexit.register(server.close)
    return server


# What follows runs in the server process.


def serve() -> None:
    """Fork a supervisor for each request, until the tests close the connection.

    In the process of a run, return after the program, so that the interpreter ends as usual.
    """
    requests = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()  # a collection in a child would copy all these pages
    while True:
        _, descriptors, *_ = socket.recv_fds(requests, 1, 3)
        if not descriptors:
            return
        if os.fork() == 0:
            requests.close()
            supervise(*descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):  # there is no supervisor now
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass  # this has collected one more supervisor that has ended


def supervise(connection_descriptor: int, stdout: int, stderr: int) -> None:
    """Fork the run, and send its process id and its exit status.

    Only the parent of a process learns its exit status, and the server has to accept requests.
    """
    connection = socket.socket(fileno=connection_descriptor)
    with connection.makefile("rb") as reader:
        request = json.loads(reader.readline())
    child = os.fork()
    if child:
        # Readers of a pipe wait until everybody has closed it.
        os.close(stdout)
        os.close(stderr)
        connection.send(INTEGER.pack(child))
        _, status = os.waitpid(child, 0)
        connection.send(INTEGER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    connection.close()
    for number, descriptor in ((1, stdout), (2, stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    run(**request)


def run(*, program: str, arguments: list[str], environment: dict[str, str], directory: str) -> None:
    """Do what `python program` does, or for a module what `python -m program` does."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdout, sys.stderr = reopened(sys.stdout), reopened(sys.stderr)
    sys.argv = [program, *arguments]
    if Path(program).is_absolute():
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def reopened(stream: TextIO) -> TextIO:
    """Open a standard stream again, as the interpreter does, because it is another file now.

    See `create_stdio` in https://github.com/python/cpython/blob/v3.13.0/Python/pylifecycle.c.
    """
    assert isinstance(stream, TextIOWrapper)
    file = FileIO(stream.fileno(), "w", closefd=False)
    return TextIOWrapper(
        file if stream.write_through else BufferedWriter(file),
        stream.encoding,
        stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering or file.isatty(),
        write_through=stream.write_through,
    )


if __name__ == "__main__":
    serve()
