"""Run redeliver in this process, over HTTP, in virtual time: a wait advances the clock."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.core.policy import AS_LONG_AS_LOGGED, ScanMode
from redeliver.engine.ports import Runtime
from redeliver.engine.run import run
from redeliver.github_api.checkpoint_variable import RepositoryVariable
from redeliver.github_api.client import Client
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.facts import Facts
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import list_hooks, organization_hook
from redeliver.reporting.report import Report
from tests.support.builders import OPTIONS, TOKEN, a_policy
from tests.support.fakes import FakeConsole
from tests.support.sandboxes import PER_MINUTE, WEB_URL, a_client, a_delivery_log

RANDOM = itertools.count()
"""The same in each session, but different in each run."""


class SettlingClock(VirtualClock):
    """The clock of a run, which advances only after all requested redeliveries have ended.

    Otherwise a run that waits for outcomes in virtual time could end before they are known, and the
    order of events would depend on the scheduler of this machine.
    """

    def __init__(self, clock: VirtualClock, github: Sandbox) -> None:
        self._clock = clock
        self._github = github

    def __call__(self) -> datetime:
        return self._clock()

    def advance(self, by: timedelta) -> None:
        self._github.settle()
        self._clock.advance(by)


def sleep_function(clock: VirtualClock, *, workers: int) -> Callable[[float], None]:
    """Return a function that sleeps by advancing the clock."""
    lock = Lock()

    def sleep(seconds: float) -> None:
        until = clock() + timedelta(seconds=seconds)
        if workers > 1 and seconds > 10:
            # When GitHub limits the rate, it refuses the other workers at the same time, and
            # their waits begin before this one ends.
            time.sleep(0.01)
        with lock:  # threads that sleep at the same time share one wait
            clock.advance(max(until - clock(), timedelta()))

    return sleep


def run_in_process(
    github: Sandbox,
    hook: Hook | None,
    clock: VirtualClock,
    *,
    give_up_after: timedelta = AS_LONG_AS_LOGGED,
    max_attempts: int | None = None,
    max_redeliveries: int | None = None,
    scan: ScanMode = ScanMode.FULL,
    probe: int | None = None,
    verify: timedelta = timedelta(seconds=30),
    dry_run: bool = False,
    fail_unrecovered: bool = False,
    workers: int = 1,
    per_minute: int = PER_MINUTE,
    token: str = TOKEN,
    url: str = "",
    lines: list[str] | None = None,
) -> Report:
    """Run once for a webhook, or for all webhooks of acme, and log to `lines`.

    `url` is where to find `github`, if that is not its own URL.

    `token` is for webhooks only, not for the variable. With one worker, the order of events does
    not depend on how this machine schedules threads.
    """
    lines = [] if lines is None else lines
    sleep = sleep_function(clock, workers=workers)
    throttle = Throttle(
        lines.append, per_minute=per_minute, clock=lambda: clock().timestamp(), sleep=sleep
    )
    server_clock = ServerClock(elapsed=lambda: clock().timestamp())
    facts = Facts()
    client, variables = (
        a_client(url or github.url, value, clock=server_clock, facts=facts, throttle=throttle)
        for value in (token, TOKEN)
    )
    hooks = [a_delivery_log(github, hook, client)] if hook else _all_logs(client)
    return run(
        hooks,
        RepositoryVariable(variables, "acme/ops", "LAST_REDELIVERY"),
        Runtime(
            clock=server_clock,
            monotonic=lambda: clock().timestamp(),
            retention=lambda: facts.retention,
            receiver_timeout=lambda: facts.receiver_timeout,
            token_expirations=lambda: facts.token_expirations,
            random=partial(next, RANDOM),
            throttle=throttle,
            console=FakeConsole(lines),
            sleep=sleep,
            workers=workers,
        ),
        replace(
            OPTIONS,
            policy=a_policy(
                give_up_after=give_up_after,
                max_attempts=max_attempts,
                max_redeliveries=max_redeliveries,
            ),
            scan=scan,
            probe=probe,
            verify=verify,
            dry_run=dry_run,
            fail_unrecovered=fail_unrecovered,
        ),
    )


def _all_logs(client: Client) -> list[DeliveryLog]:
    return [
        organization_hook(client, WEB_URL, "acme", hook_id, is_active=is_active)
        for hook_id, is_active in list_hooks(client, org="acme").items()
    ]
