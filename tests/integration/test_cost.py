"""The requests that a run sends, and how it stays within GitHub's rate limits."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from redeliver.core.policy import ScanMode
from redeliver.errors import RateLimitError
from redeliver.reporting.report import Report
from tests.support.action_run import run_action
from tests.support.builders import (
    NOW,
    ago,
)
from tests.support.outage import arrived
from tests.support.sandboxes import running
from tests.support.virtual_run import run_in_process

SINCE = NOW - timedelta(hours=6)


class Scenario:
    """A hook and a checkpoint of six hours ago, in virtual time."""

    def __init__(self, github: Sandbox, receiver: Receiver, clock: VirtualClock) -> None:
        self.github = github
        self.receiver = receiver
        self.clock = clock
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(SINCE)
        self.hook = github.org("acme").hook(receiver.url)

    def succeed(self, count: int) -> None:
        """Record successful deliveries, evenly spread since the checkpoint."""
        self.hook.record_many(count, since=SINCE, until=NOW)

    def fail(self, count: int, *, status_code: int = 500) -> None:
        """Record failed deliveries of three hours ago."""
        for number in range(count):
            self.hook.record(
                guid=f"missed-{number}",
                at=NOW - timedelta(hours=3) + timedelta(seconds=number),
                status="failed",
                status_code=status_code,
            )

    def run(
        self,
        *,
        scan: ScanMode = ScanMode.FULL,
        workers: int = 8,
        per_minute: int = 75,
        verify: float = 0,
    ) -> Report:
        """Run as the program does, with all of its workers."""
        return run_in_process(
            self.github,
            self.hook,
            self.clock,
            scan=scan,
            workers=workers,
            per_minute=per_minute,
            verify=timedelta(seconds=verify),
        )

    def requests(self, after: int = 0) -> list[str]:
        """Return the method and the subject of each request of a run, after so many others.

        A run sends its first two at the same time; here the variable comes first.
        """
        subjects = {"/attempts": "attempts", "/deliveries": "log", "/variables": "variable"}

        def subject(path: str) -> str:
            return next(word for part, word in subjects.items() if part in path)

        said = [f"{r.method} {subject(r.path)}" for r in self.github.requests[after:]]
        return [*sorted(said[:2], reverse=True), *said[2:]]

    def arrived(self) -> Counter[str]:
        """Count how often the receiver got each GUID."""
        return Counter(arrived(self.github, self.receiver))

    def seconds(self) -> float:
        """Return how long the runs have taken."""
        return (self.clock() - NOW).total_seconds()

    def note_attempts(self) -> list[datetime]:
        """Return a list to which each request for a redelivery adds its time."""
        times = list[datetime]()
        note = Meanwhile(lambda: times.append(self.clock()))
        self.github.inject(note, path=".*/attempts", times=None)
        return times


@contextmanager
def a_scenario(
    *, rate_limits: bool = True, points_per_minute: int | None = None, filters: bool = True
) -> Iterator[Scenario]:
    clock = VirtualClock(NOW)
    with (
        Receiver() as receiver,
        running(
            Sandbox(
                clock=clock,
                rate_limits=rate_limits,
                points_per_minute=points_per_minute,
                filters=filters,
            )
        ) as github,
    ):
        yield Scenario(github, receiver, clock)


@pytest.mark.parametrize(
    ("in_window", "pages"),
    [
        pytest.param(0, 1, id="a page before the checkpoint"),
        pytest.param(60, 2, id="a page on both sides of the checkpoint"),
        pytest.param(100, 2, id="a page since the checkpoint"),
        pytest.param(160, 3, id="two pages"),
    ],
)
def test_a_log_is_read_to_a_page_before_the_checkpoint(in_window: int, pages: int) -> None:
    with a_scenario() as scenario:
        scenario.hook.record_many(300, since=ago(hours=48), until=ago(hours=7))
        scenario.succeed(in_window)
        scenario.run()

        assert scenario.requests() == ["GET variable", *["GET log"] * pages, "PATCH variable"]


@pytest.mark.parametrize("scan", ScanMode, ids=lambda scan: scan.value)
def test_a_small_log_without_failures_takes_three_requests(scan: ScanMode) -> None:
    with a_scenario() as scenario:
        scenario.succeed(60)
        scenario.run(scan=scan)

        assert scenario.requests() == ["GET variable", "GET log", "PATCH variable"]


@pytest.mark.parametrize("scan", ScanMode, ids=lambda scan: scan.value)
def test_a_first_run_takes_one_more_request(scan: ScanMode) -> None:
    """It asks GitHub for failures that are older than it looks back; the next run does not."""
    with a_scenario() as scenario:
        del scenario.github.repository("acme/ops").variables["LAST_REDELIVERY"]
        scenario.hook.record_many(300, since=ago(hours=48), until=ago(hours=25))
        scenario.succeed(60)
        scenario.run(scan=scan)
        first = scenario.requests()
        scenario.clock.advance(timedelta(minutes=5))
        log = [r.query for r in scenario.github.requests if r.path.endswith("/deliveries")]
        scenario.run(scan=scan)

        pages = 2 if scan is ScanMode.FULL else 1
        assert first == ["GET variable", *["GET log"] * pages, "POST variable", "GET log"]
        assert log[-1] == {"per_page": "100", "status": "failure"}
        next_run = scenario.requests(after=len(first))
        assert next_run == ["GET variable", *["GET log"] * pages, "PATCH variable"]


@pytest.mark.parametrize(("lookback", "asked"), [("71h", 2), ("3d", 0)])
def test_each_webhook_is_asked_once_unless_all_was_read(
    github: Sandbox, hook: Hook, lookback: str, asked: int
) -> None:
    """There is nothing to ask if a run looks back as far as GitHub keeps the log."""
    github.org("acme").hook("http://127.0.0.1:9/hook")

    run = run_action(github, hook, hook_id="all", variable_name="", lookback=lookback)

    assert run.status == 0, run.visible
    assert len([r for r in github.requests if r.query.get("status") == "failure"]) == asked


@pytest.mark.unmeasured
def test_a_scan_for_failures_reads_one_page_if_there_are_none() -> None:
    with a_scenario() as scenario:
        scenario.succeed(20_000)
        full = scenario.run(verify=30)
        pages = scenario.requests()
        scenario.clock.advance(timedelta(minutes=5))
        failures = scenario.run(scan=ScanMode.FAILURES, verify=30)

        assert pages == ["GET variable", *["GET log"] * 200, "PATCH variable"]
        requests = scenario.requests(after=len(pages))
        assert requests == ["GET variable", "GET log", "PATCH variable"]
        assert (full.scans[0].scanned, failures.scans[0].scanned) == (20_000, 0)


def test_each_failure_takes_one_request_besides_the_pages() -> None:
    with a_scenario() as scenario:
        scenario.succeed(2000)
        scenario.fail(32)
        scenario.run()

        pages, attempts = ["GET log"] * 21, ["POST attempts"] * 32
        claim, check, save = ["PATCH variable"], ["GET variable"], ["PATCH variable"]
        assert scenario.requests() == ["GET variable", *pages, *claim, *check, *attempts, *save]


@pytest.mark.unmeasured
def test_a_scan_for_failures_reads_no_success_before_them() -> None:
    with a_scenario() as scenario:
        scenario.succeed(6000)  # half of them since the failures
        scenario.fail(32)
        scenario.run(scan=ScanMode.FAILURES)

        assert Counter(scenario.requests())["GET log"] == 1 + 31
        assert set(scenario.arrived().values()) == {1}


def test_a_server_that_ignores_the_filter_is_read_in_full() -> None:
    with a_scenario(filters=False) as scenario:
        scenario.succeed(1000)
        scenario.fail(1)
        scenario.run(scan=ScanMode.FAILURES)

        assert Counter(scenario.requests())["GET log"] == 1 + 11, "the first page shows it"
        assert scenario.arrived() == {"missed-0": 1}


def test_only_a_full_scan_finds_unclassified_failures() -> None:
    with a_scenario() as scenario:
        scenario.fail(2, status_code=0)
        by_failures = scenario.run(scan=ScanMode.FAILURES)
        assert (by_failures.scans[0].scanned, scenario.arrived()) == (0, {})

    with a_scenario() as scenario:
        scenario.fail(2, status_code=0)
        full = scenario.run()
        assert full.scans[0].unclassified == 2
        assert scenario.arrived() == {"missed-0": 1, "missed-1": 1}


def test_workers_request_redeliveries_at_the_same_time() -> None:
    with a_scenario() as scenario:
        scenario.fail(40)
        scenario.github.inject(Delay(0.05), times=None)
        scenario.run()

        assert scenario.github.most_at_once == 8
        numbers = {str(row["id"]): int(row["guid"].split("-")[1]) for row in scenario.hook.log}
        ids = [r.path.split("/")[-2] for r in scenario.github.requests if "attempts" in r.path]
        for index, delivery_id in enumerate(ids):
            assert numbers[delivery_id] < index + 8, "the oldest events are redelivered first"


@pytest.mark.unmeasured
def test_a_thousand_redeliveries_use_all_points_of_the_limit() -> None:
    with a_scenario(points_per_minute=900) as scenario:
        scenario.fail(1000)
        scenario.run(per_minute=0)

        assert all(request.status < 400 for request in scenario.github.requests if request.status)
        assert scenario.arrived() == {f"missed-{number}": 1 for number in range(1000)}
        # 900 points pay for 180 redeliveries, so the limit allows the thousandth after 300 s.
        assert 300 <= scenario.seconds() <= 1.15 * 300


@pytest.mark.unmeasured
def test_a_run_on_a_server_without_limits_never_waits() -> None:
    with a_scenario(rate_limits=False) as scenario:
        scenario.fail(300)
        scenario.run(per_minute=0)

        assert len(scenario.arrived()) == 300
        assert scenario.seconds() == 0.5


@pytest.mark.unmeasured
def test_a_minutes_redeliveries_are_requested_at_once() -> None:
    with a_scenario() as scenario:
        scenario.fail(80)
        times = scenario.note_attempts()
        scenario.run()

        first = min(times)
        assert times.count(first) == 75
        assert min(at for at in times if at > first) > first + timedelta(minutes=1)


def test_60_a_minute_are_requested_as_github_advises() -> None:
    """GitHub asks for one request at a time, and a second between two that change something.

    The seconds are virtual, and the time for which a response takes is real.
    """
    with a_scenario() as scenario:
        scenario.fail(20)
        times = scenario.note_attempts()
        scenario.github.inject(Delay(0.05), times=None)
        scenario.run(per_minute=60)

        began = [r.began for r in scenario.github.requests if "/attempts" in r.path]
        assert min(later - earlier for earlier, later in pairwise(began)) >= 0.05
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert len(pauses) == 19
        assert timedelta(seconds=1) <= min(pauses)
        assert max(pauses) < timedelta(seconds=1.1)


@pytest.mark.unmeasured
@pytest.mark.parametrize("remaining", [40, 60], ids="{} requests left".format)
def test_a_run_keeps_to_max_per_minute_after_a_rate_limit(remaining: int) -> None:
    with a_scenario() as scenario:
        scenario.fail(200)
        scenario.github.rate_limit(remaining=remaining, reset_in=120)
        times = scenario.note_attempts()
        scenario.run(workers=1)  # with more, one that sleeps advances the clock of the others

        assert len(times) == 200
        for start in times:
            within = [at for at in times if start <= at < start + timedelta(minutes=1)]
            assert len(within) <= 75


def test_a_rate_limit_that_has_been_reset_causes_no_wait() -> None:
    with a_scenario() as scenario:
        scenario.fail(80)
        scenario.github.rate_limit(remaining=98, reset_in=58)
        scenario.run()

        assert len(scenario.arrived()) == 80
        assert scenario.seconds() <= 70, "the limit is reset while the run waits for its turn"


def test_a_secondary_limit_slows_a_run_and_fails_nothing() -> None:
    with a_scenario(points_per_minute=250) as scenario:
        scenario.fail(120)
        report = scenario.run(per_minute=0)

        assert report.status == 0
        assert scenario.arrived() == {f"missed-{number}": 1 for number in range(120)}
        refused = [request.status for request in scenario.github.requests].count(403)
        assert 0 < refused <= 3 * 8


def test_the_program_requests_eight_redeliveries_at_once(github: Sandbox, hook: Hook) -> None:
    for number in range(20):
        hook.record(guid=f"missed-{number}", at=ago(hours=1), status="failed", status_code=500)
    github.inject(Delay(0.3), method="POST", times=None)

    run = run_action(github, hook, verify="0")

    assert run.status == 0, run.visible
    assert github.most_at_once == 8


def test_the_input_scan_selects_the_kind_of_scan(github: Sandbox, hook: Hook) -> None:
    for number in range(3):
        hook.record(guid=f"missed-{number}", at=ago(hours=1), status="failed", status_code=500)

    run = run_action(github, hook, scan="failures")

    assert run.status == 0, run.visible
    assert run.outputs["requested"] == "3"
    filters = [
        request.query.get("status")
        for request in github.requests
        if request.path.endswith("/deliveries")
    ]
    assert filters[:2] == ["failure", "success"]


@pytest.mark.parametrize(
    ("hook_ids", "times"),
    [pytest.param({}, 1, id="one id"), pytest.param({"hook-id": "all"}, 0, id="all")],
)
def test_a_run_requests_the_time_unless_it_lists_webhooks(
    github: Sandbox, hook: Hook, hook_ids: dict[str, str], times: int
) -> None:
    """Without a variable, a run needs the time of another response before it reads the log."""
    run = run_action(github, hook, hook_ids, variable_name="")

    assert run.status == 0
    assert [request.path for request in github.requests].count("/rate_limit") == times


@pytest.mark.parametrize("workers", [1, 8])
def test_reading_many_logs_leaves_requests_for_redeliveries(workers: int) -> None:
    """GitHub first says that 29 are left. Two thirds of these are kept, whatever the workers."""
    with a_scenario() as scenario:
        for _ in range(11):
            hook = scenario.github.org("acme").hook(scenario.receiver.url)
            hook.record_many(500, since=SINCE, until=NOW)
        scenario.github.rate_limit(remaining=30, reset_in=3000)

        report = run_in_process(scenario.github, None, scenario.clock, workers=workers)

        pages = [r for r in scenario.github.requests if r.path.endswith("/deliveries")]
        assert len(pages) == 9
        assert [type(scan.error) for scan in report.scans].count(RateLimitError) == 11


def test_eight_logs_are_read_at_once_and_no_more() -> None:
    with a_scenario() as scenario:
        for _ in range(9):
            scenario.github.org("acme").hook(scenario.receiver.url)
        scenario.github.inject(Delay(0.3), times=None)
        run_in_process(scenario.github, None, scenario.clock, workers=8)

        assert scenario.github.most_at_once == 8
