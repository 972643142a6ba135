"""Run a command here or in a container, and measure its time and memory."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = (Path(__file__).parent / "launch.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command and its environment. With an `image`, it runs in a new container of that."""

    words: Sequence[str]
    environment: Mapping[str, str]
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Time and memory of a process."""

    began: float
    """When it was started, by `time.monotonic()`, which is the same in a container."""
    seconds: float
    cpu: float
    memory: int
    """The peak, in bytes."""
    status: int
    output: str
    with_container: float
    """The seconds with the start and the end of the container, if there is one."""


def run_process(command: Command) -> Process:
    """Run a command to its end, whatever its exit status is."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        began = time.monotonic()
        run = subprocess.run(
            [*_launcher(command), *command.words],
            env=None if command.image else command.environment,
            cwd=directory,
            stdout=subprocess.PIPE,
            check=True,
        )
        with_container = time.monotonic() - began
    return Process(**json.loads(run.stdout), with_container=with_container)


def checked(process: Process) -> Process:
    """Return the process, or raise `ChildProcessError` with its output if it failed."""
    if process.status:
        raise ChildProcessError(f"exit status {process.status}:\n{process.output}")
    return process


def _launcher(command: Command) -> list[str]:
    """Return the beginning of the command line: Python, in a container or not, and launch.py."""
    flags = ["-I", "-S", "-c", LAUNCHER]
    if command.image is None:
        return [sys.executable, *flags]
    environment = [f"--env={name}={text}" for name, text in command.environment.items()]
    # The simulated GitHub listens on 127.0.0.1.
    docker = ["docker", "run", "--rm", "--network=host", *environment]
    return [*docker, "--entrypoint=python3", command.image, *flags]
