"""Run workflows with act, in a Docker engine, against the sandbox."""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

import redeliver
from github_sandbox import Hook, Receiver, Sandbox
from tests.support.outage import miss_events

ROOT = Path(__file__).parents[2]
ACT = Path(sys.executable).with_name("act")
TAG = f"v{redeliver.__version__}"
TOKEN = "ghp_e2eS3cretT0ken"
CLIENT_ID = "Iv23liAbCdEfGhIjKlMn"
"""The client ID of the GitHub App in the examples."""
REMOTE = "https://github.com/acme/ops.git"
RUNNER = "python:3.13-slim"
"""The image that act uses as a runner."""


def an_outage(receiver: Receiver, *hooks: Hook) -> list[str]:
    """Have each hook deliver two events and miss two in between, and return the missed GUIDs."""
    now = datetime.now(UTC)
    for hook in hooks:
        hook.emit("push", at=now - timedelta(hours=5))
    missed = miss_events(receiver, *hooks, now=now)
    for hook in hooks:
        hook.emit("push", at=now - timedelta(hours=2))
    return missed


def arrived(github: Sandbox, receiver: Receiver, missed: Iterable[str]) -> list[str]:
    """Return the GUIDs of missed events that have arrived since, sorted, once for each arrival.

    Redeliveries run side by side, so nobody can rely on their order.
    """
    github.settle()
    return sorted(received.guid for received in receiver.received() if received.guid in missed)


def filled_in(example: str, names: Mapping[str, str]) -> str:
    """Return an example workflow with a test's names in place of its own."""
    workflow = (ROOT / "examples" / example).read_text()
    for name, replacement in names.items():
        assert name in workflow
        workflow = workflow.replace(name, replacement)
    return workflow


def permissions_of(workflow: str) -> dict[str, str]:
    """Return the permissions of the token of a workflow's only job."""
    [job] = yaml.safe_load(workflow)["jobs"].values()
    permissions: dict[str, str] = job["permissions"]
    return permissions


def for_act(action: Path, ref: str) -> None:
    """Change the reusable workflow in a copy of this repository so that act understands it.

    act does not know `$/`, which means the repository of the workflow, at the same commit. So this
    writes that repository and `ref`, for which `--local-repository` names the copy.
    """
    workflow = action / ".github" / "workflows" / "redeliver.yml"
    text = workflow.read_text()
    assert text.count("uses: $/image\n") == 1
    workflow.write_text(text.replace("uses: $/image", f"uses: acme/redeliver/image@{ref}"))


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A checkout of acme/ops. Its workflows use the copy of the action in `action` as `ref`."""

    workspace: Path
    action: Path
    ref: str = TAG
    secrets: Mapping[str, str] = field(default_factory=lambda: {"REDELIVER_TOKEN": TOKEN})

    @property
    def _workflow_file(self) -> Path:
        return self.workspace / ".github" / "workflows" / "redeliver.yml"

    def has_run(self, *workflows: str) -> bool:
        """Whether one of these is the last workflow that was run, or its beginning."""
        file = self._workflow_file
        return file.exists() and file.read_text().startswith(workflows)

    def run(
        self,
        workflow: str,
        github: Sandbox,
        *arguments: str,
        event: str = "schedule",
        runner: str = RUNNER,
    ) -> subprocess.CompletedProcess[str]:
        """Run a workflow with act, as `event` would start it."""
        self._workflow_file.parent.mkdir(parents=True, exist_ok=True)
        self._workflow_file.write_text(workflow)
        # Python must not import these modules in place of the packages.
        for name in ("github", "venv", "pip"):
            module = self.workspace / f"{name}.py"
            module.write_text("raise SystemExit('imported from the workspace')")
        if not (self.workspace / ".git").exists():
            for command in (("init", "--quiet"), ("remote", "add", "origin", REMOTE)):
                subprocess.run(["git", *command], cwd=self.workspace, check=True)
        secrets = [f"{name}={value}" for name, value in self.secrets.items()]
        return act(
            self.workspace,
            event,
            *("--local-repository", f"acme/redeliver@{self.ref}={self.action}"),
            *("--env", f"GITHUB_API_URL={github.url}"),
            *(argument for secret in secrets for argument in ("-s", secret)),
            *arguments,
            runner=runner,
        )


def act(
    workspace: Path, event: str, *arguments: str, runner: str
) -> subprocess.CompletedProcess[str]:
    """Run the workflows of a repository that `event` starts."""
    labels = ("ubuntu-latest", "self-hosted", "macos-latest")
    runners = (argument for label in labels for argument in ("-P", f"{label}={runner}"))
    return subprocess.run(
        [ACT, event, "--rm", "--pull=false", "--network", "host", *runners, *arguments],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
