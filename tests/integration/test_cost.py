"""What a run costs, request by request, and that it keeps within what GitHub allows."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from redeliver.core.policy import ScanMode
from redeliver.github_api.throttle import MIN_RATE_FACTOR
from redeliver.reporting.report import Report
from redeliver.wiring import WORKERS
from tests.support.action_run import run_action
from tests.support.builders import NOW, ago, running
from tests.support.virtual_run import run_in_process

SINCE = NOW - timedelta(hours=6)
VARIABLE, LOG, ATTEMPTS = "variable", "log", "attempts"


class Scene:
    """A hook, and a checkpoint of six hours ago, in virtual time."""

    def __init__(self, github: Sandbox, receiver: Receiver, clock: VirtualClock) -> None:
        self.github = github
        self.receiver = receiver
        self.clock = clock
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(SINCE)
        self.hook = github.org("acme").hook(receiver.url)

    def succeed(self, count: int) -> None:
        """Have so many deliveries succeed since the checkpoint, each a little after the other."""
        self.hook.record_many(count, since=SINCE, until=NOW)

    def fail(self, count: int, *, status_code: int = 500) -> None:
        """Have so many fail, three hours ago."""
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
        workers: int = WORKERS,
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

    def asked(self) -> list[str]:
        """Tell what was asked, request by request."""
        kinds = {"variables": VARIABLE, "deliveries": LOG, "attempts": ATTEMPTS}
        return [
            next(f"{request.method} {kinds[part]}" for part in reversed(parts) if part in kinds)
            for request in self.github.requests
            for parts in [request.path.split("/")]
        ]

    def arrived(self) -> Counter[str]:
        """Count what came to the receiver, by GUID."""
        self.github.settle()
        return Counter(each.guid for each in self.receiver.received())


@contextmanager
def a_scene(
    *, rate_limits: bool = True, points_per_minute: int | None = None, filters: bool = True
) -> Iterator[Scene]:
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
        yield Scene(github, receiver, clock)


@pytest.mark.parametrize("scan", ScanMode)
def test_a_quiet_hook_with_a_small_log_costs_three_requests(scan: ScanMode) -> None:
    with a_scene() as scene:
        scene.succeed(60)
        scene.run(scan=scan)

        assert scene.asked() == ["GET variable", "GET log", "PATCH variable"]


@pytest.mark.unmeasured
def test_a_quiet_busy_hook_costs_its_pages_or_by_its_failures_one() -> None:
    with a_scene() as scene:
        scene.succeed(20_000)
        full = scene.run(verify=30)
        pages = scene.asked()
        failures = scene.run(scan=ScanMode.FAILURES, verify=30)

        assert pages == ["GET variable", *["GET log"] * 200, "PATCH variable"]
        assert scene.asked()[len(pages) :] == ["GET variable", "GET log", "PATCH variable"]
        assert (full.scans[0].scanned, failures.scans[0].scanned) == (20_000, 0)


def test_a_few_failures_among_many_deliveries_cost_the_pages_and_one_request_each() -> None:
    with a_scene() as scene:
        scene.succeed(2000)
        scene.fail(32)
        scene.run()

        pages = ["GET log"] * 21
        claim = save = ["GET variable", "PATCH variable"]
        assert scene.asked() == ["GET variable", *pages, *claim, *["POST attempts"] * 32, *save]


@pytest.mark.unmeasured
def test_by_its_failures_the_successes_are_read_back_to_the_oldest_of_them() -> None:
    with a_scene() as scene:
        scene.succeed(6000)  # half of them since the first failure
        scene.fail(32)
        scene.run(scan=ScanMode.FAILURES)

        assert Counter(scene.asked())["GET log"] == 1 + 31
        assert set(scene.arrived().values()) == {1}


def test_a_server_that_ignores_the_filter_is_read_in_full() -> None:
    with a_scene(filters=False) as scene:
        scene.succeed(1000)
        scene.fail(1)
        scene.run(scan=ScanMode.FAILURES)

        assert Counter(scene.asked())["GET log"] == 1 + 11, "one to learn that"
        assert scene.arrived() == {"missed-0": 1}


def test_what_the_filter_does_not_show_is_counted_by_the_full_scan_and_else_left() -> None:
    with a_scene() as scene:
        scene.fail(2, status_code=0)
        by_failures = scene.run(scan=ScanMode.FAILURES)
        assert (by_failures.scans[0].scanned, scene.arrived()) == (0, {})

    with a_scene() as scene:
        scene.fail(2, status_code=0)
        full = scene.run()
        assert (full.scans[0].unclassified, scene.arrived()) == (
            2,
            {"missed-0": 1, "missed-1": 1},
        )


def test_workers_ask_side_by_side_each_on_a_connection_of_its_own() -> None:
    with a_scene() as scene:
        scene.fail(40)
        scene.github.inject(Delay(0.05), times=None)
        scene.run()

        assert scene.github.most_at_once == WORKERS
        ids = {str(row["id"]): int(row["guid"].split("-")[1]) for row in scene.hook.log}
        asked = [r.path.split("/")[-2] for r in scene.github.requests if "attempts" in r.path]
        for place, number in enumerate(asked):
            assert ids[number] < place + WORKERS, "the oldest are handed out first"


def seconds_of(scene: Scene) -> float:
    return (scene.clock() - NOW).total_seconds()


@pytest.mark.unmeasured
def test_a_thousand_failures_keep_within_githubs_points_and_use_them() -> None:
    with a_scene(points_per_minute=900) as scene:
        scene.fail(1000)
        scene.run(per_minute=0)

        assert all(request.status < 400 for request in scene.github.requests if request.status)
        assert scene.arrived() == {f"missed-{number}": 1 for number in range(1000)}
        # 900 points are 180 redeliveries, so that the last of a thousand may go after five minutes.
        assert 300 <= seconds_of(scene) <= 1.15 * 300


@pytest.mark.unmeasured
def test_on_a_server_without_limits_nothing_waits() -> None:
    with a_scene(rate_limits=False) as scene:
        scene.fail(300)
        scene.run(per_minute=0)

        assert len(scene.arrived()) == 300
        assert seconds_of(scene) == 0


@pytest.mark.unmeasured
def test_a_burst_goes_at_once_and_the_rest_as_the_minute_allows() -> None:
    with a_scene() as scene:
        scene.fail(80)
        times = list[datetime]()
        note = Meanwhile(lambda: times.append(scene.clock()))
        scene.github.inject(note, path=".*/attempts", times=None)
        scene.run()

        assert [at for at in times if at == NOW] == [NOW] * 75
        assert min(at for at in times if at > NOW) > NOW + timedelta(minutes=1)


@pytest.mark.unmeasured
@pytest.mark.parametrize("remaining", [40, 60])
def test_who_waited_for_the_rate_limit_waits_for_a_turn_again(remaining: int) -> None:
    with a_scene() as scene:
        scene.fail(200)
        scene.github.rate_limit(remaining=remaining, reset_in=120)
        times = list[datetime]()
        note = Meanwhile(lambda: times.append(scene.clock()))
        scene.github.inject(note, path=".*/attempts", times=None)
        scene.run(workers=1)  # with more, one that sleeps moves the time of one that asks

        assert len(times) == 200
        for start in times:
            within = [at for at in times if start <= at < start + timedelta(minutes=1)]
            assert len(within) <= 75


def test_a_rate_limit_that_has_begun_anew_is_not_waited_for() -> None:
    with a_scene() as scene:
        scene.fail(80)
        scene.github.rate_limit(remaining=98, reset_in=58)
        scene.run()

        assert len(scene.arrived()) == 80
        assert seconds_of(scene) <= 70, "a minute for the turn, in which it began anew"


def test_a_secondary_limit_slows_the_run_down_and_fails_nothing() -> None:
    with a_scene(points_per_minute=250) as scene:
        scene.fail(120)
        report = scene.run(per_minute=0)

        assert report.status == 0
        assert scene.arrived() == {f"missed-{number}": 1 for number in range(120)}
        refused = [request.status for request in scene.github.requests].count(403)
        assert 0 < refused <= 3 * WORKERS
        assert MIN_RATE_FACTOR < 1 / 4, "which is what is needed here"


def test_scan_is_an_input(github: Sandbox, hook: Hook) -> None:
    for number in range(3):
        hook.record(guid=f"missed-{number}", at=ago(hours=1), status="failed", status_code=500)

    run = run_action(github, hook, scan="failures")

    assert run.status == 0, run.visible
    assert (run.outputs["redelivered"], run.outputs["unclassified"]) == ("3", "0")
    asked = [request.query.get("status") for request in github.requests if "del" in request.path]
    assert asked[:2] == ["failure", "success"]
