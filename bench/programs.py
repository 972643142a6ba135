"""The commands with which a runner starts the programs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.cases import Case, Program
from bench.process import Command
from github_sandbox import Hook, Sandbox

TOKEN = "ghp_bench"  # noqa: S105 - only the simulated GitHub accepts it
REPOSITORY = "acme/ops"
VARIABLE = "LAST_REDELIVERY"
SCRIPT = Path(__file__).parent / "script" / "script.js"


def node_modules() -> Path:
    """Return where `make` has installed octokit: as Node does, look in the folders above."""
    for folder in SCRIPT.parents:
        if (folder / "node_modules" / "octokit").is_dir():
            return folder / "node_modules"
    raise FileNotFoundError("octokit is not installed: `make bench` and `make e2e` install it")


def variables(case: Case) -> list[str]:
    """Return the names of the variables: one for redeliver, and one for each webhook's script."""
    return [VARIABLE, *(f"{VARIABLE}_{number}" for number in range(case.webhooks))]


def commands(
    program: Program, case: Case, github: Sandbox, hooks: list[Hook], *, image: str | None
) -> Iterator[Command]:
    """Yield the commands that a program takes, one after the other.

    redeliver runs in the image, or without one on the Python that runs this.
    """
    if program is Program.REDELIVER:
        yield _redeliver(case, github, hooks, image)
        return
    for hook, variable in zip(hooks, variables(case)[1:], strict=True):
        environment = {
            "PATH": os.environ["PATH"],
            "TOKEN": TOKEN,
            "API_URL": github.url,
            "ORG": hook.org,
            "HOOK_ID": str(hook.id),
            "REPOSITORY": REPOSITORY,
            "VARIABLE_NAME": variable,
            "THROTTLE": "off" if program is Program.UNTHROTTLED else "on",
        }
        yield Command(words=["node", str(SCRIPT)], environment=environment)


def _redeliver(case: Case, github: Sandbox, hooks: list[Hook], image: str | None) -> Command:
    inputs = {
        "token": TOKEN,
        "org": hooks[0].org,
        "hook-id": ",".join(str(hook.id) for hook in hooks),
        "variable-name": VARIABLE,
        "max-per-minute": str(case.redeliveries_per_minute),
        **case.inputs,
    }
    environment = {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
    environment |= {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY}
    if image is None:
        words = [sys.executable, "-I", "-u", "-X", "utf8", "-m", "redeliver"]
    else:
        words = entrypoint(image)
    return Command(words=words, environment=environment, image=image)


def entrypoint(image: str) -> list[str]:
    """Return the command that an image runs."""
    inspect = ["docker", "image", "inspect", "--format={{json .Config.Entrypoint}}", image]
    inspected = subprocess.run(inspect, capture_output=True, check=True)
    words: list[str] = json.loads(inspected.stdout)
    return words
