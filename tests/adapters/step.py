"""A run against the sandbox, with the inputs that most tests want."""

from pathlib import Path

from github_sandbox import Hook, Sandbox
from github_sandbox.step import RunningStep, Step, start_step
from tests.adapters.conftest import TOKEN


def step(
    github: Sandbox,
    hook: Hook,
    *,
    workspace: Path | None = None,
    environment: dict[str, str] | None = None,
    **inputs: str,
) -> Step:
    """Run the program with `inputs` in place of the usual ones."""
    return start(github, hook, workspace=workspace, environment=environment, **inputs).wait()


def start(
    github: Sandbox,
    hook: Hook,
    *,
    workspace: Path | None = None,
    environment: dict[str, str] | None = None,
    **inputs: str,
) -> RunningStep:
    """Start the program with `inputs` in place of the usual ones."""
    usual = {
        "token": TOKEN,
        "org": hook.org,
        "hook-id": str(hook.id),
        "variable-name": "LAST_REDELIVERY",
        "verify": "0",  # it takes real time
    }
    given = usual | {name.replace("_", "-"): text for name, text in inputs.items()}
    surroundings = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"}
    return start_step(given, surroundings | (environment or {}), workspace=workspace)


def shown(run: Step) -> str:
    """Return all that a run lets be seen, without the line that has the runner mask the token."""
    lines = [line for line in run.log.splitlines() if not line.startswith("::add-mask::")]
    return "\n".join([*lines, run.errors, str(run.outputs), run.summary])
