"""The program in this process, over HTTP, in virtual time: to wait is to move the clock."""

from datetime import timedelta
from threading import Lock

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.core.delivery import HookId
from redeliver.core.policy import Policy, RunOptions, ScanMode
from redeliver.engine.ports import Runtime
from redeliver.engine.run import run
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.variable import RepositoryVariable
from redeliver.github_api.webhooks import organization_hook
from redeliver.reporting.report import Report
from tests.integration.conftest import TOKEN, a_client
from tests.support.fakes import FakeConsole

PER_MINUTE = 75


def run_in_process(
    github: Sandbox,
    hook: Hook,
    clock: VirtualClock,
    *,
    give_up_after: timedelta = timedelta(days=3),
    max_attempts: int | None = None,
    max_redeliveries: int | None = None,
    scan: ScanMode = ScanMode.FULL,
    probe: int | None = None,
    verify: timedelta = timedelta(seconds=30),
    dry_run: bool = False,
    workers: int = 1,
    per_minute: int = PER_MINUTE,
    said: list[str] | None = None,
) -> Report:
    """Run once; all that is said goes to `said`.

    With one worker, what happens in which order is not up to the scheduler of this machine.
    """
    said = [] if said is None else said
    moving = Lock()

    def sleep(seconds: float) -> None:
        until = clock() + timedelta(seconds=seconds)
        with moving:  # those who sleep at the same time wake at the same time
            clock.advance(max(until - clock(), timedelta()))

    throttle = Throttle(
        said.append, per_minute=per_minute, clock=lambda: clock().timestamp(), sleep=sleep
    )
    githubs_clock = ServerClock(elapsed=lambda: clock().timestamp())
    client = a_client(github.url, TOKEN, clock=githubs_clock, throttle=throttle)
    return run(
        [organization_hook(client, github.url, hook.org, HookId(hook.id))],
        RepositoryVariable(client, "acme/ops", "LAST_REDELIVERY"),
        Runtime(
            clock=githubs_clock,
            throttle=throttle,
            console=FakeConsole(said),
            sleep=sleep,
            choose=lambda keys, number: list(keys)[-number:],
            workers=workers,
        ),
        RunOptions(
            lookback=timedelta(hours=24),
            policy=Policy(
                give_up_after=give_up_after,
                max_attempts=max_attempts,
                max_redeliveries=max_redeliveries,
            ),
            retention=timedelta(days=3),
            scan=scan,
            probe=probe,
            verify=verify,
            dry_run=dry_run,
        ),
    )
