"""Run a program against the simulated GitHub, and measure time, memory and requests."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import github_sandbox.model.delivery_log
from bench.cases import Case, Program
from github_sandbox import Delay, Hook, Receiver, Sandbox
from github_sandbox.model.rate_limits import request_points
from redeliver.core.checkpoint import format_checkpoint

HERE = Path(__file__).parent
TOKEN = "ghp_bench"  # noqa: S105 - only the simulated GitHub accepts it
VARIABLE = "LAST_REDELIVERY"
WINDOW = timedelta(hours=6)
RATE_LIMITED = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Time and memory of a process. `memory` is the peak, in bytes."""

    began: float
    seconds: float
    cpu: float
    memory: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Time, memory and requests of one run of a program."""

    process: Process
    start: float
    """Seconds from the start of the process to its first request."""
    requests: int
    points: int
    limited: int
    """How many requests GitHub refused because of rate limits."""


def run_process(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, cwd: Path | None = None
) -> Process:
    """Run a command, and raise `ChildProcessError` if it fails."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        output_file = Path(directory, "output")
        launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(output_file)]
        measured = json.loads(
            subprocess.run(
                [*launcher, *command],
                env=environment,
                cwd=cwd or directory,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
        )
        output = output_file.read_text(encoding="utf-8", errors="replace")
    if measured.pop("status"):
        raise ChildProcessError(f"{command} failed:\n{output}")
    return Process(**measured, output=output)


def measure(case: Case, program: Program, latency: float) -> Measured:
    """Run a program against a new simulated GitHub that responds after `latency` seconds."""
    with _simulated_github(case, latency) as (github, hook):
        command, environment = _command(program, case, github, hook)
        process = run_process(command, environment)
        requests = github.requests
    redelivered = sum(request.status == HTTPStatus.ACCEPTED for request in requests)
    if redelivered != case.failures:
        raise AssertionError(f"{program.value} requested {redelivered} redeliveries in {case}")
    return Measured(
        process=process,
        start=requests[0].began - process.began,
        requests=len(requests),
        points=sum(request_points(request.method) for request in requests),
        limited=sum(request.status in RATE_LIMITED for request in requests),
    )


@contextmanager
def _simulated_github(case: Case, latency: float) -> Iterator[tuple[Sandbox, Hook]]:
    # Short ids, as GitHub had for years: an octokit of before March 2026 rounds longer ones.
    github_sandbox.model.delivery_log.DELIVERY_IDS = itertools.count(200_000_000_001)
    with (
        Receiver() as receiver,
        Sandbox(rate_limits=case.rate_limits, points_per_minute=case.points_per_minute) as github,
    ):
        now = datetime.now(UTC)
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        github.repository("acme/ops").variables[VARIABLE] = format_checkpoint(now - WINDOW)
        hook = github.org("acme").hook(receiver.url)
        since, until = now - WINDOW + timedelta(minutes=1), now - timedelta(minutes=1)
        hook.record_many(case.deliveries - case.failures, since=since, until=until)
        for number in range(case.failures):
            at = since + (until - since) * (number + 0.5) / case.failures
            hook.record(at=at, status="failed to connect to host", status_code=502)
        if latency:
            github.inject(Delay(latency), times=None)
        yield github, hook


def _command(
    program: Program, case: Case, github: Sandbox, hook: Hook
) -> tuple[list[str], dict[str, str]]:
    """Return the command and environment with which a runner starts the program."""
    if program is Program.SCRIPT:
        environment = {
            "TOKEN": TOKEN,
            "API_URL": github.url,
            "ORG": hook.org,
            "HOOK_ID": str(hook.id),
            "REPOSITORY": "acme/ops",
            "VARIABLE_NAME": VARIABLE,
        }
        command = ["node", str(HERE / "script" / "script.js")]
        return command, {"PATH": os.environ["PATH"]} | environment
    inputs = {
        "token": TOKEN,
        "org": hook.org,
        "hook-id": str(hook.id),
        "variable-name": VARIABLE,
        **case.inputs,
    }
    environment = {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
    environment |= {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "acme/ops"}
    return [sys.executable, "-I", "-u", "-X", "utf8", "-m", "redeliver"], environment
