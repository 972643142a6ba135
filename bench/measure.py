"""Run a program against a miniature GitHub, and see what it took."""

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
TOKEN = "ghp_bench"  # noqa: S105 - GitHub in miniature knows it, and nobody else
VARIABLE = "LAST_REDELIVERY"
WINDOW = timedelta(hours=6)
TOO_MUCH = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What a process took; the memory is its peak, in bytes."""

    began: float
    seconds: float
    cpu: float
    memory: int
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run of a program took, and what it asked of GitHub."""

    process: Process
    start: float
    """Seconds from its start to its first request."""
    requests: int
    points: int
    limited: int
    """How many requests GitHub refused for being too much."""


def run_process(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, cwd: Path | None = None
) -> Process:
    """Run a command to its end, or raise `ChildProcessError`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        log = Path(directory, "log")
        launcher = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(log)]
        took = json.loads(
            subprocess.run(
                [*launcher, *command],
                env=environment,
                cwd=cwd or directory,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
        )
        said = log.read_text(encoding="utf-8", errors="replace")
    if took.pop("status"):
        raise ChildProcessError(f"{command} failed:\n{said}")
    return Process(**took, log=said)


def measure(case: Case, program: Program, latency: float) -> Measured:
    """Run a program on a fresh GitHub that answers after `latency` seconds."""
    with _world(case, latency) as (github, hook):
        command, environment = _as_a_runner_does(program, case, github, hook)
        process = run_process(command, environment)
        asked = list(github.requests)
    redelivered = sum(r.status == HTTPStatus.ACCEPTED for r in asked)
    if redelivered != case.failures:
        raise AssertionError(f"{program.value} asked for {redelivered} in case {case}")
    return Measured(
        process=process,
        start=asked[0].began - process.began,
        requests=len(asked),
        points=sum(request_points(request.method) for request in asked),
        limited=sum(request.status in TOO_MUCH for request in asked),
    )


@contextmanager
def _world(case: Case, latency: float) -> Iterator[tuple[Sandbox, Hook]]:
    # Ids as they were for years, with which any octokit does: an older one rounds those of today.
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


def _as_a_runner_does(
    program: Program, case: Case, github: Sandbox, hook: Hook
) -> tuple[list[str], dict[str, str]]:
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
