"""Runs that find the webhook by its address, which nobody may see."""

import json
from pathlib import Path
from signal import SIGTERM

import pytest

from github_sandbox import Hook, Receiver, Sandbox, Status
from tests.support.action_run import StepResult, run_action
from tests.support.command_run import Command, RunningCommand
from tests.support.outage import arrived, miss_events

SECRETS = ("h00k", "s3cret", "elsewhere")
"""Parts of the addresses, and of the patterns."""


@pytest.fixture
def hook(github: Sandbox, receiver: Receiver) -> Hook:
    """Return one of two webhooks of an organization."""
    github.org("acme").hook("https://elsewhere.example/h00k?key=s3cret")
    return github.org("acme").hook(f"{receiver.url}/h00k?key=s3cret")


def run_with_pattern(github: Sandbox, hook: Hook, pattern: str, **inputs: str) -> StepResult:
    run = run_action(github, hook, {"hook-id": "", "hook-url": pattern, **inputs})
    assert not [secret for secret in SECRETS if secret in run.visible]
    return run


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_a_webhook_is_found_by_its_address(
    github: Sandbox, receiver: Receiver, hook: Hook, dry_run: str
) -> None:
    missed = miss_events(receiver, hook)

    run = run_with_pattern(github, hook, "127.0.0.1/*/h00k", dry_run=dry_run)

    assert run.status == 0, run.visible
    line = f"The payload URL of webhook {hook.id} of organization acme matches 'hook-url'"
    assert line in run.log
    assert run.outputs["due" if dry_run == "true" else "requested"] == str(len(missed))
    assert arrived(github, receiver) == (sorted(missed) if dry_run == "false" else [])


def test_a_webhook_of_a_repository_is_found_by_its_address(
    github: Sandbox, receiver: Receiver
) -> None:
    hook = github.repository("acme/shop").hook(f"{receiver.url}/h00k")
    missed = miss_events(receiver, hook)

    run = run_with_pattern(github, hook, "*/*/h0*")

    assert run.status == 0, run.visible
    assert arrived(github, receiver) == sorted(missed)


def test_a_webhook_found_by_its_address_may_be_switched_off(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    miss_events(receiver, hook)
    hook.switch_off()

    run = run_with_pattern(github, hook, "127.0.0.1")

    assert f"These webhooks are switched off: {hook.id}. Nothing is redelivered" in run.log
    assert (run.outputs["deferred"], run.outputs["requested"]) == ("2", "0")


def test_an_error_says_that_no_address_matches(github: Sandbox, hook: Hook) -> None:
    run = run_with_pattern(github, hook, "h00k.example/s3cret")

    assert run.status == 1
    assert (
        "none of the 2 webhooks of organization acme has a payload URL that matches 'hook-url'. "
        "Compare the pattern with the URLs in the owner's settings"
    ) in run.log


def test_an_error_says_that_a_repository_has_no_webhook(github: Sandbox, hook: Hook) -> None:
    github.repository("acme/shop")

    run = run_with_pattern(github, hook, "h00k.example", org="", repo="acme/shop")

    assert run.status == 1
    assert "no webhook of repository acme/shop has a payload URL that matches 'hook-url'" in run.log


def test_an_error_names_the_webhooks_that_match(github: Sandbox, hook: Hook) -> None:
    run = run_with_pattern(github, hook, "*/*h00k")

    assert run.status == 1
    assert (
        f"the payload URLs of 2 webhooks of organization acme match 'hook-url': their ids are "
        f"{hook.id - 1}, {hook.id}. Make the pattern more exact, or set 'hook-id' instead"
    ) in run.log


def test_a_webhook_whose_address_is_not_shown_does_not_match(github: Sandbox, hook: Hook) -> None:
    rows = [{"id": 1, "active": True}, {"id": 2, "active": True, "config": {"url": None}}]
    github.inject(Status(200, body=rows), path=".*/hooks")

    run = run_with_pattern(github, hook, "*")

    assert "none of the 2 webhooks of organization acme has a payload URL" in run.log


def test_a_loop_follows_a_webhook_that_is_created_anew(
    github: Sandbox, receiver: Receiver, hook: Hook, tmp_path: Path
) -> None:
    command = Command(github, hook, tmp_path / "checkpoint.json")
    where = ["--org", "acme", "--hook-url", "127.0.0.1/*/h00k"]
    loop = RunningCommand(
        [*where, "--checkpoint-file", str(command.checkpoint_file), "--every", "1s", "--json"],
        command.environment(),
        stdout=None,
    )
    loop.wait_for(f'"id": "{hook.id}"')
    hook.delete()
    successor = github.org("acme").hook(f"{receiver.url}/h00k?key=s3cret")
    loop.wait_for(f'"id": "{successor.id}"')
    loop.send_signal(SIGTERM)
    result = loop.wait(timeout=20)

    assert not [secret for secret in SECRETS if secret in result.stdout + result.stderr]
    hooks = [json.loads(line)["hooks"][0]["id"] for line in result.stdout.splitlines()]
    assert list(dict.fromkeys(hooks)) == [str(hook.id), str(successor.id)]
