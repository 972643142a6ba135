"""The receiver seen from a test: a process of its own that can be told to fail, and be down."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from github_sandbox.process import Process

PROGRAM = Path(__file__).with_name("receiver.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One delivery that reached the receiver."""

    guid: str
    event: str
    signature_valid: bool | None
    """None if the delivery was not signed."""
    status: int
    """What the receiver answered, though perhaps too late."""
    payload: dict[str, Any]


class Receiver:
    """A receiver of webhooks on 127.0.0.1, up while in its `with` block.

    It checks signatures by `secret`.
    """

    def __init__(self, *, secret: str = "hush") -> None:
        self._secret = secret
        self._resources = ExitStack()
        self._process: Process | None = None

    def __enter__(self) -> Self:
        """Take a port and start."""
        with ExitStack() as resources:
            directory = tempfile.TemporaryDirectory(prefix="receiver-")
            self._directory = Path(resources.enter_context(directory))
            self._port = resources.enter_context(_reserved_port()).getsockname()[1]
            self.behave()
            self.start()
            resources.callback(self.stop)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop, and forget what was received."""
        self._resources.close()

    @property
    def url(self) -> str:
        """Where to deliver to."""
        return f"http://127.0.0.1:{self._port}/hook"

    def start(self) -> None:
        """Listen, on the same port as ever."""
        if self._process:
            return
        leashed, leash = os.pipe()
        told, telling = os.pipe()
        self._leash = leash
        arguments = ["--leashed", str(self._directory), str(self._port)]
        self._process = self._begin(PROGRAM, *arguments, stdin=leashed, stdout=telling)
        os.close(leashed)
        os.close(telling)
        with open(told, "rb") as lines:  # noqa: PTH123 - of a pipe
            is_up = lines.readline()
        if not is_up:
            self.stop()
            raise ChildProcessError(f"the receiver could not listen on port {self._port}")

    def stop(self) -> None:
        """Be down: whoever connects is refused, and who is waiting for an answer gets none."""
        if self._process:
            self._process.kill()
            self._process.wait()
            os.close(self._leash)
            self._process = None

    def _begin(self, program: Path, *arguments: str, stdin: int, stdout: int) -> Process:
        # As a script of the standard library, for to find packages takes time, more so for those
        # that the environment would have look on, as coverage does.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), *arguments],
            env={},
            stdin=stdin,
            stdout=stdout,
            start_new_session=True,  # a Ctrl-C is meant for us; the leash does the rest
        )

    def behave(
        self,
        *,
        status: int = 200,
        delay: float = 0.0,
        failing_events: Mapping[str, int] | None = None,
    ) -> None:
        """Answer with `status`, or that of the event in `failing_events`, `delay` seconds late."""
        behaviour = {
            "status": status,
            "delay": delay,
            "failing_events": dict(failing_events or {}),
            "secret": self._secret,
        }
        draft = self._directory / "behaviour.json.new"
        draft.write_text(json.dumps(behaviour))
        draft.replace(self._directory / "behaviour.json")

    def received(self) -> list[Received]:
        """Give everything that ever arrived, in order, also from before a restart."""
        journal = self._directory / "received.jsonl"
        lines = journal.read_bytes().split(b"\n") if journal.exists() else [b""]
        return [Received(**json.loads(line)) for line in lines[:-1]]


def _reserved_port() -> socket.socket:
    """Bind a free port without listening, so that it is ours also while nobody listens.

    Else some outgoing connection might be given it while the receiver is down.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved
