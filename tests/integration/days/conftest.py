"""Fixtures of the tests over several days."""

from pathlib import Path

import pytest

from github_sandbox import Receiver, Sandbox, VirtualClock
from tests.support.days import Days

FOLDER = Path(__file__).parent
# The other tests here execute again, hundreds of times, what tests elsewhere cover.
MEASURED = {"test_odd_rows.py", "test_token_expiry.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage where it only costs time."""
    for item in items:
        if item.path.parent == FOLDER and item.path.name not in MEASURED:
            item.add_marker(pytest.mark.unmeasured)


@pytest.fixture
def days(github: Sandbox, clock: VirtualClock, receiver: Receiver) -> Days:
    return Days(github, clock, receiver)
