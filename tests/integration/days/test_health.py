"""What runs say of a receiver over an outage, and of one that is slow, silent or throttled."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.core.policy import ScanMode
from redeliver.reporting import outputs
from tests.support.days import Days, PastRun
from tests.support.sandboxes import running

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[None, "3.19.0"], ids=["github.com", "Enterprise Server"])
def version(request: pytest.FixtureRequest) -> str | None:
    """Return the version that GitHub names in its responses."""
    version: str | None = request.param
    return version


@pytest.fixture
def github(
    clock: VirtualClock, granted_token: str, request: pytest.FixtureRequest
) -> Iterator[Sandbox]:
    """Start a sandbox, as Enterprise Server if the test says so."""
    version = None
    if "version" in request.fixturenames:
        version = request.getfixturevalue("version")
    sandbox = Sandbox(clock=clock, enterprise_version=version)
    with running(sandbox, token=granted_token) as github:
        yield github


def output(run: PastRun) -> str:
    assert run.report
    return outputs.outputs(run.report)["health"]


def health(run: PastRun) -> dict[str, Any]:
    assert run.report
    found: dict[str, Any] = json.loads(outputs.to_json(run.report))["hooks"][0]["health"]
    return found


def test_an_outage_is_reported_from_its_beginning_to_its_end(days: Days, hook: Hook) -> None:
    for _ in range(30):
        hook.emit("push")
    days.pass_time(HOUR)
    before = days.run(hook)

    days.pass_time(HOUR)
    down_since = days.clock()
    days.receiver.stop()
    for _ in range(6):
        hook.emit("push")
        days.pass_time(MINUTE)
    during = days.run(hook)
    days.pass_time(HOUR)
    quiet = days.run(hook)

    days.receiver.start()
    hook.emit("push")
    days.pass_time(MINUTE)
    after = days.run(hook)
    later = days.run_for(3 * HOUR, hook, every=HOUR)[-1]

    runs = (before, during, quiet, after, later)
    assert [*map(output, runs)] == ["healthy", "down", "down", "healthy", "silent"]
    since = f"{down_since:%Y-%m-%dT%H:%M:%S}"
    for run in (during, quiet):
        assert health(run)["down_since"].startswith(since)
    assert health(during)["failures"]["no_connection"] == 6
    (line,) = (line for line in during.lines if line.startswith("Health of "))
    assert f"No delivery has succeeded since {down_since:%Y-%m-%d %H:%M:%S} UTC: 6 in a row" in line
    assert "GitHub could not connect to the receiver" in line
    assert not [line for line in before.lines if line.startswith("Health of ")]


def test_answers_are_slow_by_the_limit_of_the_product(
    days: Days, hook: Hook, version: str | None
) -> None:
    for _ in range(3):
        hook.record(duration=9.0, at=days.clock() - HOUR)
    hook.record(duration=0.2, at=days.clock() - HOUR, throttled_at=days.clock() - HOUR)

    run = days.run(hook)

    assert output(run) == ("healthy" if version else "slow")
    found = health(run)
    assert (found["slow"], found["responses"]) == (0 if version else 3, 4)
    assert (found["p95_seconds"], found["throttled"]) == (9.0, 1)


def test_a_real_delivery_has_its_duration(days: Days, hook: Hook) -> None:
    days.receiver.behave(delay=0.15)
    hook.emit("push")

    assert 0.1 <= health(days.run(hook))["p95_seconds"] < 2


def test_a_run_that_reads_failures_only_does_not_know_the_health(days: Days, hook: Hook) -> None:
    days.fail(hook, 9)

    run = days.run(hook, scan=ScanMode.FAILURES)

    assert output(run) == ""
    assert health(run) is None
