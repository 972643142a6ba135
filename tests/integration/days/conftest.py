"""Fixtures of the tests over several days."""

import pytest

from github_sandbox import Receiver, Sandbox, VirtualClock
from tests.support.days import Days


@pytest.fixture
def days(github: Sandbox, clock: VirtualClock, receiver: Receiver) -> Days:
    return Days(github, clock, receiver)
