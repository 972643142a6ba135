"""What docs/scale.md and docs/receivers.md compute is what real runs do."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from docs.scale import (
    DAY,
    HOUR,
    MINUTE,
    Backlog,
    ManyWebhooks,
    Run,
    Schedule,
    runs_with_a_refused_event,
)
from docs.simulated_arrivals import arrivals
from docs.simulated_schedules import LATENCY, recoveries
from github_sandbox import Meanwhile, Receiver, Sandbox, VirtualClock
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


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("every", "length", "phase"),
    [
        pytest.param(MINUTE, 5 * MINUTE, 0.2, id="every minute"),
        pytest.param(20 * MINUTE, 10 * MINUTE, 0.7, id="a run during the outage"),
        pytest.param(20 * MINUTE, 10 * MINUTE, 0.1, id="every 20 minutes"),
        pytest.param(HOUR, MINUTE, 0.5, id="every hour"),
    ],
)
def test_events_are_back_as_soon_as_simulated(
    every: timedelta, length: timedelta, phase: float
) -> None:
    """The simulation lets each redelivery arrive 5 seconds after the start of its run."""
    begin = NOW + every * (0.5 + phase)
    end = begin + length
    until = end + 2 * every + HOUR / 4
    events = [NOW + number * MINUTE / 3 for number in range(3 * ((until - NOW) // MINUTE))]
    runs = [NOW + every * (0.5 + number) for number in range((until - NOW) // every)]
    failed, recovered = dict[str, datetime](), list[timedelta]()
    clock = VirtualClock(NOW)
    with Receiver() as receiver, running(Sandbox(clock=clock, rate_limits=False)) as github:
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(NOW)
        hook = github.org("acme").hook(receiver.url)
        for at in sorted({*events, *runs}):
            clock.advance(at - clock())
            receiver.behave(status=503 if begin <= at < end else 200)
            if at in events:
                guid = hook.emit("push")
                if begin <= at < end:
                    failed[guid] = at
            if at in runs:
                before = len(receiver.received())
                run_in_process(github, hook, SettlingClock(clock, github), workers=8)
                recovered += [
                    at + LATENCY - failed[delivery.guid]
                    for delivery in receiver.received()[before:]
                    if delivery.status == 200
                ]

    expected = [event.since_failure for event in recoveries(every, length, phase)]
    assert len(expected) == len(failed)
    assert sorted(recovered) == sorted(expected)


@pytest.mark.unmeasured
@pytest.mark.parametrize("per_minute", [75, 60, 10])
def test_redeliveries_arrive_as_fast_as_simulated(per_minute: int) -> None:
    clock = VirtualClock(NOW)
    with Receiver() as receiver, running(Sandbox(clock=clock)) as github:
        variables = github.repository("acme/ops").variables
        variables["LAST_REDELIVERY"] = format_checkpoint(NOW - HOUR)
        hook = github.org("acme").hook(receiver.url)
        for number in range(80):
            at = NOW - HOUR / 2 + timedelta(seconds=number)
            hook.record(at=at, status="failed to connect to host", status_code=502)
        times = list[datetime]()
        note = Meanwhile(lambda: times.append(clock()))
        github.inject(note, path=".*/attempts", times=None)
        run_in_process(github, hook, clock, per_minute=per_minute, workers=8, verify=timedelta())

    expected = arrivals(80, per_minute=per_minute, latency=timedelta())
    seconds = [(at - times[0]).total_seconds() for at in times]
    assert seconds == pytest.approx([at.total_seconds() for at in expected], abs=0.01)


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [1, 10, 100, 120])
def test_the_formula_counts_the_requests_for_many_webhooks(number: int) -> None:
    clock = VirtualClock(NOW)
    with Receiver() as receiver, running(Sandbox(clock=clock)) as github:
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(NOW - HOUR)
        for _ in range(number):
            hook = github.org("acme").hook(receiver.url)
            hook.record_many(90, since=NOW - DAY, until=NOW)
        run_in_process(github, None, clock, workers=8)

        assert len(github.requests) == ManyWebhooks(number=number, latency=timedelta()).requests
