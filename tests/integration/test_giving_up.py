"""How long runs redeliver while a receiver is down, with a run every six hours."""

from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from redeliver.core.outcome import Outcome
from tests.support.outage import SCHEDULE, arrived
from tests.support.virtual_run import run_in_process

RETENTION = timedelta(days=3)
"""How long the sandbox keeps the log, as GitHub does."""


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("give_up_after", "max_attempts", "redeliveries"),
    [
        pytest.param(RETENTION, None, 12, id="as long as GitHub keeps the log"),
        pytest.param(timedelta(hours=36), None, 6, id="36 hours"),
        pytest.param(RETENTION, 5, 4, id="5 attempts"),
        pytest.param(timedelta(hours=36), 20, 6, id="36 hours, sooner than 20 attempts"),
        pytest.param(timedelta(hours=36), 3, 2, id="3 attempts, sooner than 36 hours"),
    ],
)
def test_an_event_whose_receiver_stays_down_is_given_up(
    github: Sandbox,
    hook: Hook,
    receiver: Receiver,
    clock: VirtualClock,
    give_up_after: timedelta,
    max_attempts: int | None,
    redeliveries: int,
) -> None:
    receiver.behave(status=500)
    event = hook.emit("push")
    given_up, start = 0, clock()
    for number in range(1, 29):
        clock.advance(start + number * SCHEDULE - clock())
        report = run_in_process(
            github,
            hook,
            clock,
            give_up_after=give_up_after,
            max_attempts=max_attempts,
            verify=timedelta(),  # it would move the clock
        )
        github.settle()
        given_up += report.count(Outcome.GIVEN_UP)

    assert arrived(github, receiver) == [event] * (1 + redeliveries)
    assert given_up == 1, "only one run reports it"


@pytest.mark.unmeasured
def test_an_outage_of_two_days_and_18_hours_loses_nothing(
    github: Sandbox,
    hook: Hook,
    receiver: Receiver,
    clock: VirtualClock,
) -> None:
    """The outage is as long as GitHub keeps the log, less the time between two runs."""
    outage, hour = RETENTION - SCHEDULE, timedelta(hours=1)
    receiver.behave(status=500)
    missed = []
    for hours in range(1, outage // hour + 1):
        missed.append(hook.emit("push"))
        clock.advance(hour)
        if hours * hour % SCHEDULE == timedelta():
            run_in_process(github, hook, clock, verify=timedelta())
            github.settle()
    receiver.behave()

    clock.advance(SCHEDULE - timedelta(minutes=1))
    run_in_process(github, hook, clock, verify=timedelta())
    github.settle()

    accepted = [received.guid for received in receiver.received() if received.status == 200]
    assert sorted(accepted) == sorted(missed)
