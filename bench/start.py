"""Measure the start of redeliver, now and as it was at an earlier commit."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from bench.cases import CASES, Program
from bench.measure import measure
from bench.preparation import ROOT, TAG, build_directory, size_over_base
from bench.process import Command, checked, run_process
from bench.programs import REPOSITORY, commands, entrypoint
from bench.times import Times
from github_sandbox import Receiver, Sandbox

BEFORE = "b5c03fab910e"
"""The last commit before imports were deferred, and before an App's token was shared."""
BEFORE_TAG = f"{TAG}-before"
REPETITIONS = 15
CASE = CASES[0]

MODULES = """
import sys
try:
    from redeliver.deferred_imports import PACKAGES, defer_imports
    defer_imports(*PACKAGES)
except ImportError:
    pass  # there were none
import redeliver.action
print(sum(getattr(vars(module).get("__getattr__"), "__module__", "") != "redeliver.deferred_imports"
          for module in list(sys.modules.values())))
"""
"""Prints how many modules are loaded before a run begins, without those that are deferred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The start of one version of redeliver."""

    size: int
    """The bytes of its image, without the base."""
    modules: int
    """How many modules Python loads before the run begins."""
    requests_of_app: int
    """How many requests an App's run sends before the first page and the checkpoint."""
    times: Times
    """From the start of the process to its first request."""


def measure_starts(latency: float, most_runs: int | None) -> tuple[Start, Start]:
    """Return the start before and now; the image of now is there. The versions take turns."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        # This needs the history of the repository: a shallow clone does not have the commit.
        archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, stdout=PIPE, check=True)
        subprocess.run(["tar", "-x"], cwd=directory, input=archive.stdout, check=True)
        build_directory(Path(directory), BEFORE_TAG)
    seconds: dict[str, list[float]] = {BEFORE_TAG: [], TAG: []}
    for _ in range(most_runs or REPETITIONS):
        for image, each in seconds.items():
            each.append(measure(CASE, Program.REDELIVER, latency, image).start)
    before, now = (
        Start(
            size=size_over_base(image),
            modules=_modules(image),
            requests_of_app=_requests_of_app(image),
            times=Times(each),
        )
        for image, each in seconds.items()
    )
    return before, now


def _modules(image: str) -> int:
    words = [entrypoint(image)[0], "-I", "-X", "utf8", "-c", MODULES]
    return int(checked(run_process(Command(words=words, environment={}, image=image))).output)


def _requests_of_app(image: str) -> int:
    with Receiver() as receiver, Sandbox() as github:
        hook = github.org("acme").hook(receiver.url)
        github.repository(REPOSITORY)
        app = github.app(slug="bench", owner="acme")
        app.install("acme", {"organization_hooks": "write", "actions_variables": "write"})
        [command] = commands(Program.REDELIVER, CASE, github, [hook], image=image)
        credentials = {
            "INPUT_TOKEN": "",
            "INPUT_APP-ID": str(app.id),
            "INPUT_PRIVATE-KEY": app.private_key,
        }
        environment = {**command.environment, **credentials}
        checked(run_process(Command(words=command.words, environment=environment, image=image)))
        return sum("/installation" in request.path for request in github.requests)
