"""Runs for several webhooks."""

import json
from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from tests.support.action_run import run_action
from tests.support.builders import ago
from tests.support.outage import arrived, miss_events


@pytest.fixture
def hooks(github: Sandbox, receiver: Receiver) -> list[Hook]:
    """Return two webhooks of one organization that both missed the same event."""
    hooks = [github.org("acme").hook(receiver.url) for _ in range(2)]
    receiver.stop()
    for hook in hooks:
        hook.emit("push", guid="shared", at=ago(hours=1))
    receiver.start()
    return hooks


@pytest.mark.parametrize("are_listed", [True, False], ids=["ids", "all"])
def test_several_webhooks_get_their_events_redelivered(
    github: Sandbox, receiver: Receiver, hooks: list[Hook], *, are_listed: bool
) -> None:
    ids = "\n".join(str(hook.id) for hook in hooks) if are_listed else "all"
    github.org("acme").hook("http://127.0.0.1:9/off?secret=hush", active=False)

    run = run_action(github, hooks[0], hook_id=ids)

    assert run.status == 0, run.visible
    assert arrived(github, receiver) == ["shared", "shared"]
    assert run.outputs["requested"] == "2"
    assert ("These webhooks are switched off: " in run.log) is not are_listed
    assert "hush" not in run.visible
    assert receiver.url not in run.visible


def test_all_webhooks_of_a_repository_are_found(github: Sandbox, receiver: Receiver) -> None:
    shop = github.repository("acme/shop")
    hooks = [shop.hook(receiver.url) for _ in range(2)]
    missed = miss_events(receiver, *hooks)

    run = run_action(github, hooks[0], hook_id="all")

    assert run.status == 0, run.visible
    assert arrived(github, receiver) == sorted(missed)


def test_a_success_of_one_webhook_does_not_count_for_another(
    github: Sandbox, hooks: list[Hook], clock: VirtualClock
) -> None:
    hooks[0].redeliver(hooks[0].log[0]["id"])
    clock.advance(timedelta(minutes=1))

    run = run_action(github, hooks[0], hook_id="all")

    assert run.outputs["requested"] == "1", run.visible
    assert len(hooks[1].log) == 2
    counts = [hook["counts"] for hook in json.loads(run.outputs["report"])["hooks"]]
    assert [each["already_delivered"] for each in counts] == [1, 0]
    assert [each["requested"] for each in counts] == [0, 1]


def test_a_deleted_webhook_does_not_stop_the_others(
    github: Sandbox, receiver: Receiver, hooks: list[Hook]
) -> None:
    variables = github.repository("acme/ops").variables
    before = variables["LAST_REDELIVERY"] = format_checkpoint(ago(hours=6))

    run = run_action(github, hooks[0], hook_id=f"7, {hooks[1].id}")

    assert run.status == 1
    assert "::error::cannot read the deliveries of webhook 7 of organization acme" in run.log
    assert arrived(github, receiver) == ["shared"]
    assert variables["LAST_REDELIVERY"][:-3] == before[:-3], "the next run tries webhook 7 again"


def test_more_webhooks_than_fit_on_a_page_are_all_found(github: Sandbox) -> None:
    hooks = [github.org("acme").hook("http://127.0.0.1:9/x") for _ in range(101)]

    run = run_action(github, hooks[0], hook_id="all")

    assert run.status == 0, run.visible
    assert run.log.count("nothing to redeliver") == 101


def test_an_organization_without_webhooks_is_a_warning(github: Sandbox) -> None:
    hook = github.org("acme").hook("http://127.0.0.1:9/x")
    hook.delete()

    run = run_action(github, hook, hook_id="all")

    assert run.status == 0, run.visible
    assert "::warning::there is no webhook, so this run read nothing" in run.log
    assert github.repository("acme/ops").variables == {}, "and nothing moves"
