"""Run redeliver as a runner does: in a process that gets its inputs as environment variables."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from tests.support.fork_server import coverage_variables

FLAGS = ("-I", "-u", "-X", "utf8")
"""The flags of the Python interpreter. A test compares them with the Dockerfile."""


class Process(Protocol):
    """The methods of `subprocess.Popen` that are used here."""

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        ...

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, or raise `subprocess.TimeoutExpired` after `timeout` seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnvironment:
    """What a process is started with. It inherits nothing else from this process."""

    variables: Mapping[str, str]
    directory: Path
    stdout: int
    stderr: int


StartProcess: TypeAlias = Callable[[ProcessEnvironment], Process]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The result of a run."""

    status: int
    log: str
    errors: str
    outputs: Mapping[str, str]
    summary: str


class RunningStep:
    """A run that has started. Its caller has to wait for its end."""

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
        """Kill the process, which gets no chance to react."""
        self._process.kill()

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    @property
    def log(self) -> str:
        """What the run has logged so far."""
        return self._read("log")

    def wait(self, timeout: float | None = None) -> Step:
        """Wait until the process ends, and kill it after `timeout` seconds."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._step is None:
            with self._temporary:
                self._step = Step(
                    status=status,
                    log=self._read("log"),
                    errors=self._read("errors"),
                    outputs=_parse_outputs(self._read("output")),
                    summary=self._read("summary"),
                )
        return self._step

    def _read(self, name: str) -> str:
        # A process that is killed may leave half a character behind.
        return Path(self._temporary.name, name).read_text(encoding="utf-8", errors="replace")


def run_step(
    inputs: Mapping[str, str], environment: Mapping[str, str], *, workspace: Path | None = None
) -> Step:
    """Run redeliver in `workspace`. `inputs` have the names that action.yml gives them."""
    return start_step(inputs, environment, workspace=workspace).wait()


def start_interpreter(environment: ProcessEnvironment) -> Process:
    """Start redeliver in a new Python interpreter, as a runner does."""
    return subprocess.Popen(
        [sys.executable, *FLAGS, "-m", "redeliver"],
        env=environment.variables,
        cwd=environment.directory,
        stdout=environment.stdout,
        stderr=environment.stderr,
    )


def start_step(
    inputs: Mapping[str, str],
    environment: Mapping[str, str],
    *,
    workspace: Path | None = None,
    start_process: StartProcess = start_interpreter,
) -> RunningStep:
    """Start redeliver in `workspace`. `inputs` have the names that action.yml gives them."""
    temporary = tempfile.TemporaryDirectory(prefix="step-")
    output, summary = Path(temporary.name, "output"), Path(temporary.name, "summary")
    output.touch()
    summary.touch()
    # To files, because a process blocks when it writes to a full pipe that nobody reads.
    with (
        Path(temporary.name, "log").open("wb") as log,
        Path(temporary.name, "errors").open("wb") as errors,
    ):
        process = start_process(
            ProcessEnvironment(
                variables=coverage_variables()
                | {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
                | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
                | dict(environment),
                directory=workspace or Path(temporary.name),
                stdout=log.fileno(),
                stderr=errors.fileno(),
            )
        )
    return RunningStep(process, temporary)


def _parse_outputs(text: str) -> dict[str, str]:
    """Parse the runner's file of outputs: name<<delimiter, lines of the value, delimiter."""
    lines = iter(text.splitlines())
    outputs = {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs
