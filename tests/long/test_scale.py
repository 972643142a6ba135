"""The formulas of docs/scale.md count the requests that real runs send."""

from collections import Counter
from datetime import timedelta

import pytest

from docs.scale import HOUR, MINUTE, Backlog, Run, Schedule, runs_with_a_refused_event
from github_sandbox import Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from tests.support.builders import NOW
from tests.support.sandboxes import running
from tests.support.virtual_run import SettlingClock, run_in_process


def runs_of(schedule: Schedule, until: timedelta, *, refused: bool) -> list[Run]:
    """Run on schedule in virtual time, and return each run as the formulas describe it."""
    clock = VirtualClock(NOW)
    with Receiver() as receiver, running(Sandbox(clock=clock, rate_limits=False)) as github:
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(NOW)
        hook = github.org("acme").hook(receiver.url)
        hook.record_many(round(schedule.rows(12 * HOUR)), since=NOW - 12 * HOUR, until=NOW)
        if refused:
            receiver.behave(status=500)
            hook.emit("push")
        found, before = list[Run](), len(github.requests)
        end = NOW
        while end + schedule.every < NOW + until:
            begin, end = end, end + schedule.every
            count = round(schedule.rows(schedule.every))
            clock.advance(end - clock())
            hook.record_many(count, since=begin + schedule.every / count, until=end)
            run_in_process(github, hook, SettlingClock(clock, github))
            sent = github.requests[before:]
            before += len(sent)
            kinds = Counter(
                request.method if "/deliveries" in request.path else "checkpoint"
                for request in sent
            )
            found.append(Run(at=end - NOW, redelivers=kinds["POST"] == 1, pages=kinds["GET"]))
            # In virtual time, reading the log takes no time.
            assert found[-1].requests - len(sent) == int(found[-1].redelivers)
        return found


SIZES = [
    pytest.param(Schedule(per_day=14_400, every=MINUTE), 2 * HOUR, id="every minute"),
    pytest.param(Schedule(per_day=14_400, every=5 * MINUTE), 6 * HOUR, id="every 5 minutes"),
    pytest.param(Schedule(per_day=144_000, every=15 * MINUTE), 4 * HOUR, id="10 times as many"),
    pytest.param(Schedule(per_day=14_400, every=HOUR), 10 * HOUR, id="every hour"),
]


@pytest.mark.unmeasured
@pytest.mark.parametrize(("schedule", "until"), SIZES)
def test_the_formula_counts_the_requests_of_a_quiet_run(
    schedule: Schedule, until: timedelta
) -> None:
    runs = runs_of(schedule, min(until, HOUR + schedule.every), refused=False)

    for run in runs:
        assert schedule.quiet_run <= run.requests <= schedule.quiet_run + 1


@pytest.mark.unmeasured
@pytest.mark.parametrize(("schedule", "until"), SIZES)
def test_the_formula_counts_the_requests_for_a_refused_event(
    schedule: Schedule, until: timedelta
) -> None:
    runs = runs_of(schedule, until, refused=True)
    expected = list(runs_with_a_refused_event(schedule, until))

    assert [run.redelivers for run in runs] == [run.redelivers for run in expected]
    for run, computed in zip(runs, expected, strict=True):
        assert abs(run.pages - computed.pages) <= 2, run


@pytest.mark.unmeasured
def test_the_formula_tells_how_long_a_backlog_takes() -> None:
    """The first 75 redeliveries need no time, so a run is up to a minute faster."""
    backlog = Backlog(per_day=7200, outage=HOUR)
    clock = VirtualClock(NOW)
    with Receiver() as receiver, running(Sandbox(clock=clock)) as github:
        variables = github.repository("acme/ops").variables
        variables["LAST_REDELIVERY"] = format_checkpoint(NOW - HOUR)
        hook = github.org("acme").hook(receiver.url)
        for number in range(backlog.failures):
            at = NOW - HOUR + number * HOUR / backlog.failures
            hook.record(at=at, status="failed to connect to host", status_code=502)
        run_in_process(github, hook, SettlingClock(clock, github), per_minute=75, workers=8)

        assert len({delivery.guid for delivery in receiver.received()}) == backlog.failures
        assert backlog.at_full_speed - MINUTE <= clock() - NOW < backlog.at_full_speed
