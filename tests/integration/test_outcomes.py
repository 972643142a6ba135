"""How a run reports the outcomes of its redeliveries."""

import json

import pytest

from github_sandbox import Hook, Receiver, Sandbox
from tests.support.action_run import StepResult, run_action
from tests.support.outage import miss_events


def outcomes(run: StepResult) -> dict[str, str]:
    """Return the outcome of each event by its GUID."""
    report = json.loads(run.outputs["report"])
    return {event["guid"]: event["outcome"] for event in report["events"]}


def test_a_run_reports_recovered_and_still_failing_events(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    push, check = miss_events(receiver, hook, events=["push", "check_run"])
    receiver.behave(failing_events={"check_run": 503})

    run = run_action(github, hook, verify="10s")

    assert run.status == 0, run.visible
    assert outcomes(run) == {push: "recovered", check: "still_failing"}
    names = ("requested", "recovered", "still-failing", "pending")
    assert [run.outputs[name] for name in names] == ["2", "1", "1", "0"]
    assert f"Recovered: push {push}" in run.log
    assert f"Still failing: check_run {check}" in run.log
    assert "2 attempts, last status 503)" in run.log
    assert run.summary.startswith("### redeliver: 2 events failed: 1 recovered, 1 still failing\n")


def test_an_outcome_that_comes_after_verify_is_pending(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    (missed,) = miss_events(receiver, hook, events=["push"])
    receiver.behave(delay=0.4)
    github.show_late(60)

    run = run_action(github, hook, verify="2s")

    assert run.status == 0, run.visible
    assert outcomes(run) == {missed: "pending"}
    assert run.outputs["pending"] == "1"
    github.settle()
    assert [r.guid for r in receiver.received()] == [missed]


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 0), ("unrecovered", 1)], ids=["error", "unrecovered"]
)
def test_events_that_still_fail_can_fail_the_step(
    github: Sandbox, receiver: Receiver, hook: Hook, fail_on: str, status: int
) -> None:
    miss_events(receiver, hook, events=["push"])
    receiver.behave(status=500)

    run = run_action(github, hook, verify="10s", fail_on=fail_on)

    assert run.status == status, run.visible
    assert ("'unrecovered': 1 of 1 failed events is still failing" in run.log) == (status == 1)


def test_a_failed_probe_leaves_the_other_events_for_later(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = miss_events(receiver, hook, events=["push"] * 6)
    receiver.behave(status=500)

    run = run_action(github, hook, probe="2", verify="10s")

    assert run.status == 0, run.visible
    assert len(receiver.received()) == 2
    assert sorted(outcomes(run).values()) == ["deferred"] * 4 + ["still_failing"] * 2
    assert "::warning::4 events deferred to a later run: all 2 probes failed" in run.log
    assert len(missed) == 6


def test_a_successful_probe_redelivers_the_other_events(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = miss_events(receiver, hook, events=["push"] * 6)

    run = run_action(github, hook, probe="2", verify="10s")

    assert run.status == 0, run.visible
    assert sorted(r.guid for r in receiver.received()) == sorted(missed)
    assert run.outputs["recovered"] == "6"


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        pytest.param({"events": "push, issues.*"}, {"push", "issues"}, id="some events"),
        pytest.param({"events": "!check_*"}, {"push", "issues"}, id="all but some events"),
        pytest.param({}, {"push", "issues", "check_run"}, id="all events"),
        pytest.param({"skip-status-codes": "502"}, set(), id="no event with a skipped status"),
    ],
)
def test_only_events_that_pass_the_filters_are_redelivered(
    github: Sandbox, receiver: Receiver, hook: Hook, inputs: dict[str, str], names: set[str]
) -> None:
    miss_events(receiver, hook, events=["push", "issues.opened", "check_run.completed"])

    run = run_action(github, hook, inputs)

    github.settle()
    assert run.status == 0, run.visible
    assert {received.event for received in receiver.received()} == names
    assert run.outputs["failed"] == str(len(names))
    assert sum(json.loads(run.outputs["report"])["filtered"].values()) == 3 - len(names)
    assert ("#### Filtered out" in run.summary) == (len(names) < 3)
    assert not any("/deliveries/" in r.path and r.method == "GET" for r in github.requests), (
        "no run needs a payload"
    )


def test_max_redeliveries_leaves_events_for_the_next_run(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = miss_events(receiver, hook, events=["push"] * 3)

    first = run_action(github, hook, {"max-redeliveries": "2", "variable-name": ""})
    github.settle()
    second = run_action(github, hook, {"max-redeliveries": "2", "variable-name": ""})
    github.settle()

    assert [first.outputs["deferred"], second.outputs["deferred"]] == ["1", "0"]
    assert sorted(r.guid for r in receiver.received()) == sorted(missed)
    assert "#### Deferred to a later run" in first.summary
