"""Run the program as a runner does: a process with its inputs in the environment."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from github_sandbox.process import Process

FLAGS = ("-I", "-u", "-X", "utf8")
"""How Python is started: tested to be as in the Dockerfile."""

COVERAGE = "COVERAGE_"
"""What a step keeps of our environment begins like this, so that coverage can follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a runner gives the program, which begins with nothing else."""

    environment: Mapping[str, str]
    directory: Path
    stdout: int
    stderr: int


Begin: TypeAlias = Callable[[Surroundings], Process]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a run left behind."""

    status: int
    log: str
    errors: str
    outputs: Mapping[str, str]
    summary: str


class RunningStep:
    """A run under way; whoever started it has to wait for it."""

    def __init__(
        self,
        process: Process,
        temporary: "tempfile.TemporaryDirectory[str]",
    ) -> None:
        """Use `start_step`."""
        self._process = process
        self._temporary = temporary
        self._step: Step | None = None

    def kill(self) -> None:
        """Kill the run in a way it cannot notice."""
        self._process.kill()

    def send(self, number: signal.Signals) -> None:
        """Send the run a signal."""
        self._process.send_signal(number)

    @property
    def log(self) -> str:
        """What the run has said so far."""
        return self._left("log")

    def wait(self, timeout: float | None = None) -> Step:
        """Wait for the end, which is by SIGKILL after `timeout` seconds."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._step is None:
            with self._temporary:
                self._step = Step(
                    status=status,
                    log=self._left("log"),
                    errors=self._left("errors"),
                    outputs=_outputs(self._left("output")),
                    summary=self._left("summary"),
                )
        return self._step

    def _left(self, name: str) -> str:
        # A run that is killed may leave half a character.
        return Path(self._temporary.name, name).read_text(encoding="utf-8", errors="replace")


def run_step(
    inputs: Mapping[str, str], environment: Mapping[str, str], *, workspace: Path | None = None
) -> Step:
    """Run the program in `workspace`; `inputs` by their names in action.yml."""
    return start_step(inputs, environment, workspace=workspace).wait()


def begin_anew(around: Surroundings) -> Process:
    """Begin as a runner does: with a new interpreter."""
    return subprocess.Popen(
        [sys.executable, *FLAGS, "-m", "redeliver"],
        env=around.environment,
        cwd=around.directory,
        stdout=around.stdout,
        stderr=around.stderr,
    )


def start_step(
    inputs: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    workspace: Path | None = None,
    begin: Begin = begin_anew,
) -> RunningStep:
    """Start the program in `workspace`; `inputs` by their names in action.yml."""
    temporary = tempfile.TemporaryDirectory(prefix="step-")
    output, summary = Path(temporary.name, "output"), Path(temporary.name, "summary")
    output.touch()
    summary.touch()
    # To files, for a pipe that nobody reads yet would make the run wait.
    with (
        Path(temporary.name, "log").open("wb") as log,
        Path(temporary.name, "errors").open("wb") as errors,
    ):
        process = begin(
            Surroundings(
                environment=what_coverage_needs()
                | {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
                | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
                | dict(environment),
                directory=workspace or Path(temporary.name),
                stdout=log.fileno(),
                stderr=errors.fileno(),
            )
        )
    return RunningStep(process, temporary)


def what_coverage_needs() -> dict[str, str]:
    """Return what a process needs of our environment so that coverage can follow it."""
    return {name: text for name, text in os.environ.items() if name.startswith(COVERAGE)}


def _outputs(text: str) -> dict[str, str]:
    """Read the runner's file of outputs: name<<delimiter, lines of the value, delimiter."""
    lines = iter(text.splitlines())
    outputs = {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs
