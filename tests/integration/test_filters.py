"""Runs that filter failed events out, and how to redeliver these events after all."""

from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import Ended, format_checkpoint
from tests.support.action_run import run_action
from tests.support.builders import NOW, ago
from tests.support.outage import arrived, miss_events

STARTED_BY_HAND = {"GITHUB_EVENT_NAME": "workflow_dispatch"}
ONCE = "Once the checkpoint has passed these events, no later run that uses it redelivers them"


@pytest.fixture
def missed(github: Sandbox, receiver: Receiver, hook: Hook) -> list[str]:
    """Miss a pull request and a check since the last run, and return their GUIDs."""
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))
    return miss_events(receiver, hook, events=["pull_request.closed", "check_run"])


def test_a_run_by_hand_warns_of_what_it_filtered_out(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str], clock: VirtualClock
) -> None:
    """The run that the warning advises redelivers it, and nothing twice."""
    run = run_action(github, hook, events="check_run", verify="5s", environment=STARTED_BY_HAND)
    github.settle()
    clock.advance(timedelta(hours=6))
    next_run = run_action(github, hook)

    assert run.status == next_run.status == 0, run.visible
    assert run.outputs["checkpoint"] == format_checkpoint(NOW, Ended())
    assert "1 event failed; 1 more is excluded by 'events'. " + ONCE in run.log
    assert "::warning::this run was started by hand, and filtered out 1 failed event" in run.log
    assert "has passed these events, so no later run that uses it redelivers" in run.summary
    assert arrived(github, receiver) == missed[1:], "the next run does not see the other one"

    assert (
        "run once without 'events', with 'since' set to 3d. Start that run at least 16 minutes"
    ) in run.log
    advised = run_action(github, hook, since="3d", environment=STARTED_BY_HAND)

    assert "by hand" not in advised.log
    assert arrived(github, receiver) == sorted(missed)


def test_two_steps_can_give_up_some_events_sooner(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    receiver.stop()
    _, new_job, push = (
        hook.emit(event, at=ago(minutes=minutes))
        for event, minutes in (("workflow_job", 180), ("workflow_job", 20), ("push", 180))
    )
    receiver.start()

    jobs = {"events": "workflow_job", "give-up-after": "1h", "variable-name": "JOBS"}
    others = {"events": "!workflow_job", "variable-name": "OTHERS"}
    steps = [run_action(github, hook, inputs) for inputs in (jobs, others)]

    assert [step.outputs["given-up"] for step in steps] == ["1", "0"]
    assert arrived(github, receiver) == sorted([new_job, push])
    assert github.repository("acme/ops").variables.keys() == {"JOBS", "OTHERS"}


@pytest.mark.parametrize(
    ("inputs", "environment"),
    [
        pytest.param({}, {"GITHUB_EVENT_NAME": "schedule"}, id="a schedule started it"),
        pytest.param({}, {}, id="the event is unknown"),
        pytest.param({"variable-name": ""}, STARTED_BY_HAND, id="no checkpoint is kept"),
        pytest.param({"dry-run": "true"}, STARTED_BY_HAND, id="it is a dry run"),
    ],
)
def test_a_run_that_filters_events_does_not_warn_if(
    github: Sandbox,
    hook: Hook,
    missed: list[str],
    inputs: dict[str, str],
    environment: dict[str, str],
) -> None:
    run = run_action(github, hook, inputs, events="check_run", environment=environment)

    assert run.status == 0, run.visible
    assert f"1 event failed; {len(missed) - 1} more is excluded by 'events'" in run.log
    assert "::warning::" not in run.log


def test_an_event_that_the_next_run_still_sees_is_no_warning(
    github: Sandbox, receiver: Receiver, hook: Hook, missed: list[str], clock: VirtualClock
) -> None:
    """The outcome of the older event is unknown, so the checkpoint stays before both."""
    github.show_late(60)
    run = run_action(github, hook, events="pull_request", environment=STARTED_BY_HAND)
    github.settle()
    clock.advance(timedelta(hours=6))

    run_action(github, hook)

    assert "1 more is excluded by 'events'" in run.log
    assert "by hand" not in run.log
    assert ONCE in run.summary
    assert arrived(github, receiver) == sorted(missed)


def test_a_dry_run_says_what_a_real_run_would_pass(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    codes = ",".join({str(row["status_code"]) for row in hook.log if row["guid"] in missed})

    run = run_action(github, hook, skip_status_codes=codes, dry_run="true")

    would = "Once the checkpoint of a real run has passed these events, no later run"
    assert f"2 are excluded by 'skip-status-codes'. {would}" in run.log
    assert would in run.summary


def test_a_run_that_keeps_no_checkpoint_says_nothing_of_it(
    github: Sandbox, hook: Hook, missed: list[str]
) -> None:
    run = run_action(github, hook, events="issues", variable_name="")

    assert f"{len(missed)} are excluded by 'events'\n" in run.log
    assert "excluded events" not in run.visible


def test_an_unknown_event_is_redelivered_with_a_warning(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    missed = miss_events(receiver, hook, events=["brand_new.created", "brand_new", "push"])

    run = run_action(github, hook, events="issues, brand_new", verify="5s")

    assert run.status == 0, run.visible
    assert arrived(github, receiver) == sorted(missed[:2])
    warning = "::warning::entry 2 of 'events' matches no event that this version of redeliver knows"
    assert run.log.count("::warning::") == run.log.count(warning) == 1
    assert "entry 2 of 'events' matches no event" in run.summary


@pytest.mark.parametrize("entry", ["pull_requst", "!pull_requst", "pull_requst.closed"])
def test_a_misspelled_event_stops_the_run_before_any_request(
    github: Sandbox, hook: Hook, missed: list[str], entry: str
) -> None:
    before = dict(github.repository("acme/ops").variables)

    run = run_action(github, hook, events=f"issues, {entry}")

    assert run.status == 1
    problem = "has a mistake in entry 2 ('pull_requst': did you mean 'pull_request'?)"
    assert f"::error::input 'events' {problem}" in run.log
    assert github.requests == []
    assert github.repository("acme/ops").variables == before
    assert len(missed) == 2
