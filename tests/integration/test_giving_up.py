"""How long a receiver is tried that is down, when the action runs every six hours."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from redeliver.core.outcome import Outcome
from tests.support.virtual_run import run_in_process

SCHEDULE = timedelta(hours=6)
RETENTION = timedelta(days=3)
"""How long the sandbox keeps the log, as GitHub does."""


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("give_up_after", "max_attempts", "redeliveries"),
    [
        pytest.param(RETENTION, None, 12, id="as long as the log is kept"),
        pytest.param(timedelta(hours=36), None, 6, id="for 36 hours"),
        pytest.param(RETENTION, 5, 4, id="5 times"),
        pytest.param(timedelta(hours=36), 20, 6, id="for 36 hours, which is less than 20 times"),
        pytest.param(timedelta(hours=36), 3, 2, id="3 times, which is less than 36 hours"),
    ],
)
def test_a_receiver_that_is_down_for_good_is_tried(
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
    named = 0
    for _ in range(28):
        clock.advance(SCHEDULE)
        report = run_in_process(
            github,
            hook,
            clock,
            give_up_after=give_up_after,
            max_attempts=max_attempts,
            verify=timedelta(),  # which takes time, and the runs are to be six hours apart
        )
        github.settle()
        named += report.count(Outcome.GIVEN_UP)

    arrived = Counter(received.guid for received in receiver.received())
    assert arrived == {event: 1 + redeliveries}
    assert named == 1, "given up once, and named"


@pytest.mark.unmeasured
def test_an_outage_shorter_than_the_retention_less_the_schedule_loses_nothing(
    github: Sandbox,
    hook: Hook,
    receiver: Receiver,
    clock: VirtualClock,
    add_to_summary: Callable[[str], None],
) -> None:
    outage = RETENTION - SCHEDULE
    receiver.behave(status=500)
    missed = []
    for hour in range(outage // timedelta(hours=1)):
        missed.append(hook.emit("push"))
        clock.advance(timedelta(hours=1))
        if hour % 6 == 5:
            run_in_process(github, hook, clock, verify=timedelta())
            github.settle()
    receiver.behave()

    clock.advance(SCHEDULE - timedelta(minutes=1))
    run_in_process(github, hook, clock, verify=timedelta())
    github.settle()

    taken = [received.guid for received in receiver.received() if received.status == 200]
    assert sorted(taken) == sorted(missed)
    add_to_summary(f"{len(missed)} events of an outage of {outage} come back, each once")
