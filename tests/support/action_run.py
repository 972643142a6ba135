"""Run redeliver as a runner does: in a process that gets its inputs as environment variables."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from github_sandbox import Hook, Sandbox
from tests.support.builders import TOKEN
from tests.support.fork_server import coverage_variables, fork_server

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
    """What a new process gets. It inherits nothing from this process."""

    variables: Mapping[str, str]
    directory: Path
    stdout: int
    stderr: int


StartProcess: TypeAlias = Callable[[ProcessEnvironment], Process]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """The result of a run."""

    status: int
    log: str
    errors: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def visible(self) -> str:
        """All that users see of the run. The runner hides the lines that mask secrets."""
        lines = [line for line in self.log.splitlines() if not line.startswith("::add-mask::")]
        return "\n".join([*lines, self.errors, str(self.outputs), self.summary])


class RunningStep:
    """A run that has started. Its caller has to wait for its end."""

    def __init__(
        self,
        process: Process,
        temporary: "tempfile.TemporaryDirectory[str]",
    ) -> None:
        """Use `start_step` or `start_action`."""
        self._process = process
        self._temporary = temporary
        self._result: StepResult | None = None

    def kill(self) -> None:
        """Kill the process, which gets no chance to react."""
        self._process.kill()

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    @property
    def log(self) -> str:
        """What the run has logged so far."""
        return self._read("log")

    def wait(self, timeout: float | None = None) -> StepResult:
        """Wait until the process ends, and kill it after `timeout` seconds."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._result is None:
            with self._temporary:
                self._result = StepResult(
                    status=status,
                    log=self._read("log"),
                    errors=self._read("errors"),
                    outputs=_parse_outputs(self._read("output")),
                    summary=self._read("summary"),
                )
        return self._result

    def _read(self, name: str) -> str:
        # A process that is killed may leave half a character behind.
        return Path(self._temporary.name, name).read_text(encoding="utf-8", errors="replace")


def run_action(
    github: Sandbox,
    hook: Hook,
    changes: Mapping[str, str] | None = None,
    /,
    *,
    workspace: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **inputs: str,
) -> StepResult:
    """Run redeliver for a webhook of the sandbox, with the arguments of `start_action`."""
    return start_action(
        github,
        hook,
        changes,
        workspace=workspace,
        environment=environment,
        start_process=None,
        **inputs,
    ).wait()


def start_action(
    github: Sandbox,
    hook: Hook,
    changes: Mapping[str, str] | None = None,
    /,
    *,
    workspace: Path | None = None,
    environment: Mapping[str, str] | None = None,
    start_process: StartProcess | None = None,
    **inputs: str,
) -> RunningStep:
    """Start redeliver for a webhook of the sandbox.

    `changes` and `inputs` add to the usual inputs or replace them; underscores stand for hyphens.
    """
    defaults = {
        "token": TOKEN,
        **_webhook_inputs(hook),
        "variable-name": "LAST_REDELIVERY",
        "verify": "0",  # it takes real time
    }
    given = {name.replace("_", "-"): text for name, text in {**(changes or {}), **inputs}.items()}
    variables = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "acme/ops",
        **(environment or {}),
    }
    # Python reads the working directory and these variables only when it starts.
    needs_new_interpreter = workspace or any(name.startswith("PYTHON") for name in variables)
    return start_step(
        defaults | given,
        variables,
        workspace=workspace,
        start_process=start_process
        or (start_interpreter if needs_new_interpreter else fork_interpreter),
    )


def run_step(inputs: Mapping[str, str], environment: Mapping[str, str]) -> StepResult:
    """Run redeliver. `inputs` have the names that action.yml gives them."""
    return start_step(inputs, environment).wait()


def start_interpreter(environment: ProcessEnvironment) -> Process:
    """Start redeliver in a new Python interpreter, as a runner does."""
    return subprocess.Popen(
        [sys.executable, *FLAGS, "-m", "redeliver"],
        env=environment.variables,
        cwd=environment.directory,
        stdout=environment.stdout,
        stderr=environment.stderr,
    )


def fork_interpreter(environment: ProcessEnvironment) -> Process:
    """Start redeliver as a fork of an interpreter that has done its imports."""
    return fork_server("redeliver.action", flags=FLAGS).start(
        "redeliver",
        environment=environment.variables,
        directory=environment.directory,
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
    # Output goes to files, because a process blocks when it writes to a full pipe.
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


def _webhook_inputs(hook: Hook) -> dict[str, str]:
    """Return the inputs that name a webhook."""
    match hook.path.split("/"):
        case [_, "orgs", org, _, number]:
            return {"org": org, "hook-id": number}
        case [_, "repos", owner, name, _, number]:
            return {"repo": f"{owner}/{name}", "hook-id": number}
        case _:
            return {}


def _parse_outputs(text: str) -> dict[str, str]:
    """Parse the runner's file of outputs: name<<delimiter, lines of the value, delimiter."""
    lines = iter(text.splitlines())
    outputs = {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs
