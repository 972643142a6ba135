"""Fixtures of the sandbox's tests: clock, clients, hooks, an App and its installation."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from github_sandbox import App, Hook, Installation, Repository, Sandbox, VirtualClock
from tests.sandbox.client import TOKEN, Client, sign_jwt


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out of the coverage, because redeliver does not run in their process."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("unmeasured")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 1, 10, tzinfo=UTC))


@pytest.fixture
def granted_token() -> str:
    return TOKEN


@pytest.fixture
def client(github: Sandbox) -> Client:
    return Client(github)


@pytest.fixture
def app(github: Sandbox) -> App:
    return github.app()


@pytest.fixture
def as_app(github: Sandbox, app: App, clock: VirtualClock) -> Client:
    return Client(github, sign_jwt(app, clock))


@pytest.fixture
def acme(github: Sandbox, app: App) -> Installation:
    """Install the App on an organization that has a repository with a variable."""
    github.org("acme")
    github.repository("acme/ops").variables["A"] = "1"
    return app.install("acme")


@pytest.fixture
def shop(github: Sandbox) -> Hook:
    """Return a repository's hook without a receiver, whose log is only written by `record`."""
    return github.repository("acme/shop").hook("http://127.0.0.1:9/hook", secret="hush")


@pytest.fixture
def ops(github: Sandbox) -> Repository:
    return github.repository("acme/ops")
