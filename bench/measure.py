"""Run a program against a simulated GitHub, and measure time, memory and requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from bench.cases import Case, Program
from bench.minimum import POINTS_PER_MINUTE
from bench.process import run_process
from bench.programs import REPOSITORY, TOKEN, commands, variables
from github_sandbox import Delay, Hook, Receiver, Sandbox
from github_sandbox.model.rate_limits import request_points
from redeliver.core.checkpoint import format_checkpoint

WINDOW = timedelta(hours=6)
"""How old the checkpoint is."""
OLDER, OLDEST = 1000, timedelta(hours=70)
"""How many deliveries are older than the checkpoint, all successful, and the age of the first."""
RATE_LIMITED = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
WARM_UP = Case(name="warm-up", deliveries=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Time, memory and requests of one run of a program."""

    seconds: float
    """From the start of its process to its end."""
    with_container: float
    """The same, with the start and the end of the container, if there is one."""
    start: float
    """Seconds from the start of the process to its first request."""
    cpu: float
    memory: int
    """The peak of the process, in bytes."""
    requests: int
    points: int
    limited: int
    """How many requests GitHub refused because of rate limits."""
    redelivered: int
    failed: bool
    """Whether its exit status was not 0."""


def measure(case: Case, program: Program, latency: float, image: str | None = None) -> Measured:
    """Run a program against a new simulated GitHub that responds after `latency` seconds.

    Before that, run it once on a small log, and discard that run: it fills the machine's caches.
    """
    _run(WARM_UP, program, 0, image)
    return _run(case, program, latency, image)


def _run(case: Case, program: Program, latency: float, image: str | None) -> Measured:
    with _simulated_github(case, latency) as (github, hooks):
        processes = [
            run_process(command) for command in commands(program, case, github, hooks, image=image)
        ]
        requests = github.requests
    failed = any(process.status for process in processes)
    redelivered = sum(request.status == HTTPStatus.ACCEPTED for request in requests)
    if redelivered != case.all_failures and not failed:
        raise AssertionError(f"{program.value} requested {redelivered} redeliveries in {case}")
    if failed and program is not Program.UNTHROTTLED:
        raise ChildProcessError("\n".join(process.output for process in processes))
    return Measured(
        seconds=sum(process.seconds for process in processes),
        with_container=sum(process.with_container for process in processes),
        start=requests[0].began - processes[0].began,
        cpu=sum(process.cpu for process in processes),
        memory=max(process.memory for process in processes),
        requests=len(requests),
        points=sum(request_points(request.method) for request in requests),
        limited=sum(request.status in RATE_LIMITED for request in requests),
        redelivered=redelivered,
        failed=failed,
    )


@contextmanager
def _simulated_github(case: Case, latency: float) -> Iterator[tuple[Sandbox, list[Hook]]]:
    with (
        Receiver() as receiver,
        Sandbox(
            rate_limits=case.has_limits,
            points_per_minute=POINTS_PER_MINUTE if case.has_limits else None,
        ) as github,
    ):
        now = datetime.now(UTC)
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        for variable in variables(case):
            github.repository(REPOSITORY).variables[variable] = format_checkpoint(now - WINDOW)
        hooks = [github.org("acme").hook(receiver.url) for _ in range(case.webhooks)]
        since, until = now - WINDOW + timedelta(minutes=1), now - timedelta(minutes=1)
        for hook in hooks:
            hook.record_many(OLDER, since=now - OLDEST, until=now - WINDOW - timedelta(minutes=1))
            hook.record_many(case.deliveries - case.failures, since=since, until=until)
            for number in range(case.failures):
                at = since + (until - since) * (number + 0.5) / case.failures
                hook.record(at=at, status="failed to connect to host", status_code=502)
        if latency:
            github.inject(Delay(latency), times=None)
        yield github, hooks
