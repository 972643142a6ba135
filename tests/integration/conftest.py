"""The sandbox with a receiver, one hook, and a token that may do what the action needs."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.support.builders import TOKEN


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> VirtualClock:
    """Give GitHub's clock, which stands still; the program goes by it, too."""
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def github(clock: VirtualClock) -> Iterator[Sandbox]:
    with Sandbox(receiver_timeout=0.5, clock=clock) as github:
        github.token(TOKEN, organization_hooks="write", actions_variables="write")
        github.repository("acme/ops")
        yield github


@pytest.fixture
def hook(github: Sandbox, receiver: Receiver) -> Hook:
    return github.org("acme").hook(receiver.url, secret="hush")


@pytest.fixture
def quiet_hook(github: Sandbox) -> Hook:
    """Give a hook whose log is only written by hand: nobody is at its address."""
    return github.org("acme").hook("http://127.0.0.1:9/hook")
