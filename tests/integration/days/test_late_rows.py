"""Old rows that are written late, in a log that is in the order of writing, hide nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from github_sandbox import Hook, Meanwhile, Sandbox, Status, VirtualClock
from redeliver.core.outcome import Outcome
from redeliver.core.policy import ScanMode
from tests.support.days import SCHEDULE, Days
from tests.support.sandboxes import running

DAY = timedelta(days=1)


def places(number: int) -> list[int]:
    """Return how many newer rows are on top of the late ones.

    The late rows begin the first page, are within it, go over its border, end exactly there, or
    begin the second page.
    """
    return [0, 30, 85, 100 - number, 100]


NUMBERS = pytest.mark.parametrize("number", [20, 50, 99])
SCANS = pytest.mark.parametrize("scan", list(ScanMode), ids=lambda mode: mode.value)


@pytest.fixture
def github(clock: VirtualClock, granted_token: str) -> Iterator[Sandbox]:
    """Start a sandbox whose logs are in the order of writing."""
    with running(Sandbox(clock=clock, sort_logs_by="id"), token=granted_token) as github:
        yield github


def write_late(days: Days, hook: Hook, number: int, *, newer: int = 0, code: int = 200) -> None:
    """Log old deliveries with this status code now, and then new successful ones."""
    old = days.clock() - timedelta(hours=20)
    for index in range(number):
        at = old + timedelta(seconds=index)
        hook.record(at=at, status="OK" if code == 200 else "failed", status_code=code)
    now = days.clock()
    hook.record_many(newer, since=now - timedelta(minutes=2), until=now)


@NUMBERS
@SCANS
def test_late_rows_hide_no_failure(days: Days, hook: Hook, number: int, scan: ScanMode) -> None:
    days.run(hook, scan=scan)
    missed = []
    for newer in places(number):
        days.pass_time(SCHEDULE)
        missed += days.fail(hook, 2)
        write_late(days, hook, number, newer=newer)
        days.run(hook, scan=scan)

        days.assert_delivered(missed)


@NUMBERS
def test_late_failures_hide_no_failure(days: Days, hook: Hook, number: int) -> None:
    """With `scan: failures`, they are on top of GitHub's filtered list."""
    days.run(hook, scan=ScanMode.FAILURES)
    missed = []
    for _ in range(3):
        days.pass_time(SCHEDULE)
        missed += days.fail(hook, 2)
        write_late(days, hook, number, code=500)
        days.run(hook, scan=ScanMode.FAILURES)

        days.assert_delivered(missed)


@NUMBERS
@SCANS
def test_late_rows_hide_no_success(days: Days, hook: Hook, number: int, scan: ScanMode) -> None:
    """What somebody has redelivered by hand is not redelivered."""
    days.run(hook, scan=scan)
    missed = []
    for newer in places(number):
        days.pass_time(SCHEDULE)
        [guid] = days.fail(hook)
        missed.append(guid)
        [original] = hook.ids_of(guid)
        hook.redeliver(original)
        days.pass_time(timedelta(minutes=1))
        write_late(days, hook, number, newer=newer)
        run = days.run(hook, scan=scan)

        assert run.count(Outcome.DELIVERED)
        assert not run.posts
        days.assert_delivered(missed)


@NUMBERS
def test_late_rows_hide_no_outcome(days: Days, hook: Hook, number: int) -> None:
    """They are written while a run waits for the outcomes of its redeliveries."""
    days.run(hook)
    missed = []
    for newer in places(number):
        days.pass_time(SCHEDULE)
        missed += days.fail(hook, 3)

        def write(newer: int = newer) -> None:
            days.github.settle()
            write_late(days, hook, number, newer=newer)

        days.github.inject(Meanwhile(write), method="GET", path=".*/deliveries", nth=2)
        run = days.run(hook)
        days.github.mend()

        assert run.count(Outcome.RECOVERED) == 3
        days.assert_delivered(missed)


@NUMBERS
@pytest.mark.parametrize("place", range(5))
def test_late_rows_do_not_make_a_refused_event_seem_gone(
    days: Days, hook: Hook, number: int, place: int
) -> None:
    """The search for its delivery finds it below them, and a later run tries it again."""
    days.run(hook)
    days.pass_time(SCHEDULE)
    missed = days.fail(hook, 2)
    write_late(days, hook, number, newer=places(number)[place])
    days.break_redeliveries(hook, missed, Status(422, "Cannot"))
    refused = [days.run(hook, verify=timedelta()), *days.run_for(DAY, hook, verify=timedelta())]
    days.github.mend()
    days.run_for(DAY, hook)

    assert {run.count(Outcome.REFUSED) for run in refused} == {2}
    days.assert_delivered(missed)
