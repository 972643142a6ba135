"""The program in this process, over HTTP, in virtual time: to wait is to move the clock."""

from datetime import timedelta

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.api import Clock
from redeliver.hooks import OrganizationHook
from redeliver.pace import Pace, Patience
from redeliver.plan import Policy
from redeliver.ports import Surroundings
from redeliver.report import Report
from redeliver.run import run
from redeliver.store import RepositoryVariable
from redeliver.webhook import HookId
from tests.adapters.conftest import TOKEN, an_api

PER_MINUTE = 75


def run_in_process(
    github: Sandbox,
    hook: Hook,
    clock: VirtualClock,
    *,
    give_up_after: timedelta = timedelta(days=3),
    max_attempts: int | None = None,
    max_redeliveries: int | None = None,
    probe: int | None = None,
    verify: timedelta = timedelta(seconds=30),
    dry_run: bool = False,
    said: list[str] | None = None,
) -> Report:
    """Run once; all that is said goes to `said`."""
    said = [] if said is None else said

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    patience = Patience(said.append, sleep=sleep)
    pace = Pace(said.append, per_minute=PER_MINUTE, clock=lambda: clock().timestamp(), sleep=sleep)
    githubs_clock = Clock(elapsed=lambda: 0.0)
    api = an_api(github.url, TOKEN, clock=githubs_clock, wait=patience.wait)
    return run(
        [OrganizationHook(api, github.url, hook.org, HookId(hook.id))],
        RepositoryVariable(api, "acme/ops", "LAST_REDELIVERY"),
        Surroundings(
            clock=githubs_clock,
            wait_turn=pace.wait,
            sleep=sleep,
            choose=lambda among, number: list(among)[-number:],
            say=said.append,
            progress=lambda *_: None,
        ),
        lookback=timedelta(hours=24),
        policy=Policy(
            give_up_after=give_up_after,
            max_attempts=max_attempts,
            max_redeliveries=max_redeliveries,
        ),
        retention=timedelta(days=3),
        probe=probe,
        verify=verify,
        fail_unrecovered=False,
        dry_run=dry_run,
    )
