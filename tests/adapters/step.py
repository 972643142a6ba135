"""A run against the sandbox, with the inputs that most tests want."""

from collections.abc import Mapping
from pathlib import Path

from github_sandbox import Hook, Sandbox
from github_sandbox.step import RunningStep, Step, start_step
from tests.adapters.conftest import TOKEN


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
    """Start the program with `inputs` in place of the usual ones."""
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
    return start_step(given, surroundings | (environment or {}), workspace=workspace)


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
