"""Fixtures: a scene, whose clock shows the real time."""

from collections.abc import Iterator

import pytest

from github_sandbox import Receiver, Sandbox
from github_sandbox.command.clock import MovableClock
from github_sandbox.command.scene import Scene


@pytest.fixture
def real_clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def real_time_github(real_clock: MovableClock) -> Iterator[Sandbox]:
    with Sandbox(clock=real_clock) as github:
        yield github


@pytest.fixture
def scene(real_time_github: Sandbox, receiver: Receiver, real_clock: MovableClock) -> Scene:
    return Scene(real_time_github, receiver, real_clock, secret="hush")
