"""A run against the sandbox, with the inputs that most tests want."""

from collections.abc import Mapping
from pathlib import Path

from github_sandbox import Hook, Sandbox
from tests.integration.conftest import TOKEN
from tests.support.action_run import (
    FLAGS,
    Process,
    ProcessEnvironment,
    RunningStep,
    Step,
    start_interpreter,
    start_step,
)
from tests.support.fork_server import fork_server


def step(
    github: Sandbox,
    hook: Hook,
    more: Mapping[str, str] | None = None,
    /,
    *,
    workspace: Path | None = None,
    environment: dict[str, str] | None = None,
    **inputs: str,
) -> Step:
    """Run the program with `inputs` in place of the usual ones."""
    return start(github, hook, more, workspace=workspace, environment=environment, **inputs).wait()


def start(
    github: Sandbox,
    hook: Hook,
    more: Mapping[str, str] | None = None,
    /,
    *,
    workspace: Path | None = None,
    environment: dict[str, str] | None = None,
    **inputs: str,
) -> RunningStep:
    """Start the program with `inputs` in place of the usual ones.

    Where a new interpreter could make a difference, for what it is told or for what it would
    find in the workspace, it is one.
    """
    usual = {
        "token": TOKEN,
        **inputs_of(hook),
        "variable-name": "LAST_REDELIVERY",
        "verify": "0",  # it takes real time
    }
    given = usual | {
        name.replace("_", "-"): text for name, text in {**(more or {}), **inputs}.items()
    }
    surroundings = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"}
    surroundings |= environment or {}
    is_to_be_new = workspace or any(name.startswith("PYTHON") for name in surroundings)
    start_process = start_interpreter if is_to_be_new else fork_interpreter
    return start_step(given, surroundings, workspace=workspace, start_process=start_process)


def fork_interpreter(environment: ProcessEnvironment) -> Process:
    """Start redeliver as a fork of an interpreter that has done its imports."""
    return fork_server("redeliver.action", flags=FLAGS).start(
        "redeliver",
        environment=environment.variables,
        directory=environment.directory,
        stdout=environment.stdout,
        stderr=environment.stderr,
    )


def inputs_of(hook: Hook) -> dict[str, str]:
    """Give the inputs that name a webhook."""
    match hook.path.split("/"):
        case [_, "orgs", org, _, number]:
            return {"org": org, "hook-id": number}
        case [_, "repos", owner, name, _, number]:
            return {"repo": f"{owner}/{name}", "hook-id": number}
        case _:
            return {}


def shown(run: Step) -> str:
    """Return all that a run lets be seen, without the line that has the runner mask the token."""
    lines = [line for line in run.log.splitlines() if not line.startswith("::add-mask::")]
    return "\n".join([*lines, run.errors, str(run.outputs), run.summary])
