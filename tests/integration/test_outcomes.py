"""What became of the redeliveries, with real receivers, as a step of a workflow tells it."""

import json

import pytest

from github_sandbox import Hook, Receiver, Sandbox
from tests.support.action_run import run_action
from tests.support.builders import ago


def outage(receiver: Receiver, hook: Hook, *names: str) -> list[str]:
    """Give the GUIDs of what was missed, oldest first."""
    receiver.stop()
    missed = [
        hook.emit(name, at=ago(hours=5, minutes=-number)) for number, name in enumerate(names)
    ]
    receiver.start()
    return missed


def results(report: str) -> dict[str, str]:
    return {event["guid"]: event["outcome"] for event in json.loads(report)["events"]}


def test_a_receiver_that_recovered_and_one_that_still_fails_are_told_apart(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    push, check = outage(receiver, hook, "push", "check_run")
    receiver.behave(failing_events={"check_run": 503})

    run = run_action(github, hook, verify="10s")

    assert run.status == 0, run.visible
    assert results(run.outputs["report"]) == {push: "recovered", check: "failing"}
    assert [run.outputs[n] for n in ("redelivered", "recovered", "failing", "pending")] == [
        "2",
        "1",
        "1",
        "0",
    ]
    assert f"Recovered: push {push}" in run.log
    assert f"Still failing: check_run {check}" in run.log
    assert "2 attempts, last status Invalid HTTP Response: 503)" in run.log
    assert run.summary.startswith("### redeliver: 2 events failed: 1 recovered, 1 still failing\n")


def test_a_receiver_that_answers_after_verify_has_passed_is_pending(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    (missed,) = outage(receiver, hook, "push")
    receiver.behave(delay=0.4)
    github.show_late(60)

    run = run_action(github, hook, verify="2s")

    assert run.status == 0, run.visible
    assert results(run.outputs["report"]) == {missed: "pending"}
    assert run.outputs["pending"] == "1"
    github.settle()
    assert [r.guid for r in receiver.received()] == [missed], "it was taken all the same"


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 0), ("unrecovered", 1)], ids=["error", "unrecovered"]
)
def test_a_receiver_that_still_fails_fails_the_step_if_that_is_wanted(
    github: Sandbox, receiver: Receiver, hook: Hook, fail_on: str, status: int
) -> None:
    outage(receiver, hook, "push")
    receiver.behave(status=500)

    run = run_action(github, hook, verify="10s", fail_on=fail_on)

    assert run.status == status, run.visible
    assert ("::error::of 1 event that failed: 1 still failing" in run.log) == (status == 1)


def test_a_probe_of_a_receiver_that_is_down_leaves_the_rest(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = outage(receiver, hook, *["push"] * 6)
    receiver.behave(status=500)

    run = run_action(github, hook, probe="2", verify="10s")

    assert run.status == 0, run.visible
    assert len(receiver.received()) == 2
    assert sorted(results(run.outputs["report"]).values()) == ["deferred"] * 4 + ["failing"] * 2
    assert "::warning::4 events left for the next run: the receiver seems to be down" in run.log
    assert len(missed) == 6


def test_a_probe_of_a_receiver_that_is_back_lets_the_rest_through(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = outage(receiver, hook, *["push"] * 6)

    run = run_action(github, hook, probe="2", verify="10s")

    assert run.status == 0, run.visible
    assert sorted(r.guid for r in receiver.received()) == sorted(missed)
    assert run.outputs["recovered"] == "6"


FILTERS = {
    "the events that are wanted": ({"events": "push, issues.*"}, {"push", "issues"}),
    "all but some": ({"events": "!check_*"}, {"push", "issues"}),
    "all": ({}, {"push", "issues", "check_run"}),
    "none with a status that another try does not mend": ({"skip-status-codes": "502"}, set()),
}


@pytest.mark.parametrize("case", FILTERS)
def test_redelivered_are(github: Sandbox, receiver: Receiver, hook: Hook, case: str) -> None:
    inputs, names = FILTERS[case]
    receiver.stop()
    hook.emit("push", at=ago(hours=3))
    hook.emit("issues", "opened", at=ago(hours=2))
    hook.emit("check_run", "completed", at=ago(hours=1))
    receiver.start()

    run = run_action(github, hook, inputs)

    github.settle()
    assert run.status == 0, run.visible
    assert {received.event for received in receiver.received()} == names
    assert run.outputs["failed"] == str(len(names))
    assert sum(json.loads(run.outputs["report"])["filtered"].values()) == 3 - len(names)
    assert ("#### Filtered out" in run.summary) == (len(names) < 3)
    assert not any("/deliveries/" in r.path and r.method == "GET" for r in github.requests), (
        "no payload is ever fetched"
    )


def test_what_is_too_much_for_one_run_comes_back_with_the_next_ones(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = outage(receiver, hook, *["push"] * 3)

    first = run_action(github, hook, {"max-redeliveries": "2", "variable-name": ""})
    github.settle()
    second = run_action(github, hook, {"max-redeliveries": "2", "variable-name": ""})
    github.settle()

    assert [first.outputs["deferred"], second.outputs["deferred"]] == ["1", "0"]
    assert [r.guid for r in receiver.received()[:2]] != []
    assert sorted(r.guid for r in receiver.received()) == sorted(missed)
    assert "#### Left for the next run" in first.summary
