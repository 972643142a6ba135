"""Run the program as a runner does: a process with its inputs in the environment."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COVERAGE = "COVERAGE_"
"""What a step keeps of our environment begins like this, so that coverage can follow it."""


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
        process: subprocess.Popen[bytes],
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
        """Wait for the end, or raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        status = self._process.wait(timeout)
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


def start_step(
    inputs: Mapping[str, str], environment: Mapping[str, str], *, workspace: Path | None = None
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
        process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-m", "redeliver"],
            env={name: text for name, text in os.environ.items() if name.startswith(COVERAGE)}
            | {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
            | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
            | dict(environment),
            cwd=workspace or temporary.name,
            stdout=log,
            stderr=errors,
        )
    return RunningStep(process, temporary)


def _outputs(text: str) -> dict[str, str]:
    """Read the runner's file of outputs: name<<delimiter, lines of the value, delimiter."""
    lines = iter(text.splitlines())
    outputs = {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs
