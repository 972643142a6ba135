"""The version of GitHub's API that each request names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from github_sandbox import Hook, Sandbox, VirtualClock
from redeliver.core.checkpoint import format_checkpoint
from redeliver.github_api.connection import API_VERSION
from tests.support.action_run import run_action
from tests.support.builders import (
    START,
    ago,
)
from tests.support.sandboxes import running

SUPPORTED = {
    "Enterprise Server 3.9 to 3.20": ("2022-11-28",),
    "GitHub since March 2026": ("2022-11-28", "2026-03-10"),
}


@contextmanager
def a_missed_event(versions: Sequence[str]) -> Iterator[tuple[Sandbox, Hook]]:
    """Start a sandbox with these API versions, and with a webhook that missed an event."""
    with running(Sandbox(api_versions=versions, clock=VirtualClock(START))) as github:
        before = format_checkpoint(ago(hours=2))
        github.repository("acme/ops").variables["LAST_REDELIVERY"] = before
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        hook.record(at=ago(hours=1), status_code=503, status="Invalid HTTP Response: 503")
        yield github, hook


@pytest.mark.parametrize("versions", SUPPORTED.values(), ids=SUPPORTED)
def test_every_request_names_a_version_that_all_servers_know(versions: Sequence[str]) -> None:
    with a_missed_event(versions) as (github, hook):
        run = run_action(github, hook)

        assert run.status == 0, run.visible
        assert run.outputs["requested"] == "1"
        assert {request.api_version for request in github.requests} == {API_VERSION}


def test_a_version_that_is_no_longer_supported_is_an_error() -> None:
    with a_missed_event(("2026-03-10", "2028-09-12")) as (github, hook):
        before = dict(github.repository("acme/ops").variables)

        run = run_action(github, hook)

        assert run.status == 1
        (error,) = [line for line in run.log.splitlines() if line.startswith("::error::")]
        assert '"2022-11-28", is not a supported version' in error
        assert 'supported: "2028-09-12" (most recent) and "2026-03-10"' in error
        assert "Use a newer version of redeliver" in error
        assert github.repository("acme/ops").variables == before
        paths = [request.path for request in github.requests]
        assert len(paths) == len(set(paths)), "there is no retry"
