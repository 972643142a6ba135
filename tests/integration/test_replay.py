"""Replays: runs for a time range, or for events that their user names."""

import json
from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_action
from tests.support.builders import ago
from tests.support.outage import arrived, miss_events

CHECKPOINT = format_checkpoint(ago(hours=1))


@pytest.fixture
def missed(github: Sandbox, receiver: Receiver, hook: Hook) -> list[str]:
    """Miss an event four hours ago, and one each half hour after; a checkpoint has passed them."""
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = CHECKPOINT
    return miss_events(receiver, hook, events=["issues.opened", "push", "push"])


def requests_for_the_variable(github: Sandbox) -> list[str]:
    return [request.path for request in github.requests if "/variables" in request.path]


@pytest.mark.parametrize("until", ["200m", "2026-11-24T09:40:00+01:00"])
def test_a_range_is_redelivered_whatever_the_checkpoint_says(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str], until: str
) -> None:
    run = run_action(github, hook, since="2026-11-24T08:00:00Z", until=until)

    assert run.status == 0, run.visible
    assert arrived(github, receiver) == sorted(missed[:2])
    assert requests_for_the_variable(github) == []
    assert github.repository("acme/ops").variables["LAST_REDELIVERY"] == CHECKPOINT
    assert "This run uses no checkpoint, because 'since' is set" in run.log
    assert "This run uses no checkpoint" in run.summary
    assert run.outputs["checkpoint"] == ""


def test_a_dry_run_of_a_range_shows_what_the_real_one_does(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    inputs = {"since": "6h", "until": "220m", "events": "issues"}

    dry = json.loads(run_action(github, hook, inputs, dry_run="true").outputs["report"])
    real = json.loads(run_action(github, hook, inputs).outputs["report"])

    assert arrived(github, receiver) == missed[:1]
    for report in (dry, real):
        assert [event["guid"] for event in report["events"]] == missed[:1]
        assert report["replay"] == {
            "until": "2026-11-24T08:20:00.000Z",
            "delivered_before": 0,
            "not_found": [],
        }


def test_named_events_are_redelivered_also_if_one_was_delivered(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    """The newest attempt of each is requested, and no other event."""
    fine = hook.emit("push", at=ago(hours=1))
    github.settle()
    before = len(receiver.received())

    run = run_action(github, hook, guids=f"{fine.upper()}\n{missed[0]}", verify="5s")

    assert run.status == 0, run.visible
    assert arrived(github, receiver, after=before) == sorted([fine, missed[0]])
    assert (
        "redeliver: 1 event failed and 1 event had been delivered before: 2 recovered"
        in run.summary
    )
    assert requests_for_the_variable(github) == []
    rows = {e["guid"]: e["was_delivered"] for e in json.loads(run.outputs["report"])["events"]}
    assert rows == {fine: True, missed[0]: False}


def test_an_event_that_the_log_does_not_have_is_named(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str]
) -> None:
    """The others are redelivered all the same."""
    unknown = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

    run = run_action(github, hook, guids=f"{unknown}, {missed[1]}")

    assert run.status == 1
    assert arrived(github, receiver) == [missed[1]]
    assert f"::error::no delivery of 1 event was found in GitHub's log: {unknown}. " in run.log
    assert unknown in run.summary
    assert json.loads(run.outputs["report"])["replay"]["not_found"] == [unknown]


def test_a_range_may_include_what_a_broken_receiver_accepted(
    github: Sandbox, receiver: Receiver, hook: Hook, clock: VirtualClock
) -> None:
    """The second run, which the first one advises, repeats nothing."""
    swallowed = [hook.emit("push", at=ago(hours=3, minutes=-n)) for n in range(3)]
    github.settle()
    inputs = {"since": "6h", "include-delivered": "true"}

    first = run_action(github, hook, inputs, max_redeliveries="2", verify="5s")
    clock.advance(timedelta(minutes=30))
    advised = {"since": "2026-11-24T06:00:00Z", "until": "2026-11-24T11:59:00Z"}
    second = run_action(github, hook, inputs | advised, max_redeliveries="2", verify="5s")

    assert (first.status, second.status) == (0, 0), first.visible + second.visible
    assert arrived(github, receiver, after=3) == sorted(swallowed)
    assert "Read 3 deliveries of webhook" in first.log
    assert ": 3 events had been delivered before" in first.log
    for name, time in advised.items():
        assert f"'{name}' set to {time}" in first.log
    assert first.outputs["deferred"] == "1"


def test_a_range_that_has_not_begun_is_an_error(github: Sandbox, hook: Hook) -> None:
    run = run_action(github, hook, since="2026-11-25T08:00:00Z")

    assert run.status == 1
    assert not any("/deliveries" in request.path for request in github.requests)
    assert "input 'since' must be before the start of this run" in run.log


def test_a_replay_does_not_look_for_older_failures(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    """It does not look for failures before its range, as a first run does."""
    run = run_action(github, hook, since="3h")

    assert "lookback" not in run.log
    assert missed[0] not in run.log
