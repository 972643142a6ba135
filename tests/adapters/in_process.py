"""The program in this process, over HTTP, in virtual time: to wait is to move the clock."""

from datetime import timedelta

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.api import Clock
from redeliver.delivery import HookId
from redeliver.hooks import OrganizationHook
from redeliver.pace import Pace, Patience
from redeliver.plan import Policy
from redeliver.report import Report
from redeliver.run import Surroundings, run
from redeliver.store import RepositoryVariable
from tests.adapters.conftest import TOKEN, an_api


def run_in_process(
    github: Sandbox,
    hook: Hook,
    clock: VirtualClock,
    *,
    give_up_after: timedelta = timedelta(days=3),
    max_attempts: int | None = None,
    said: list[str] | None = None,
) -> Report:
    """Run once; all that is said goes to `said`."""
    said = [] if said is None else said

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    patience = Patience(said.append, sleep=sleep)
    pace = Pace(said.append, clock=lambda: clock().timestamp(), sleep=sleep)
    githubs_clock = Clock()
    api = an_api(github.url, TOKEN, clock=githubs_clock, wait=patience.wait)
    return run(
        OrganizationHook(api, hook.org, HookId(hook.id)),
        RepositoryVariable(api, "acme/ops", "LAST_REDELIVERY"),
        Surroundings(clock=githubs_clock, wait_turn=pace.wait, wait=patience.wait, say=said.append),
        lookback=timedelta(hours=24),
        policy=Policy(give_up_after=give_up_after, max_attempts=max_attempts),
        retention=timedelta(days=3),
        dry_run=False,
    )
