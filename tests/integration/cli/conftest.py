"""Fixtures: the command, and events that its webhook missed."""

from pathlib import Path

import pytest

from github_sandbox import Hook, Receiver, Sandbox
from tests.support.command_run import Command
from tests.support.outage import miss_events


@pytest.fixture
def command(github: Sandbox, hook: Hook, tmp_path: Path) -> Command:
    return Command(github, hook, tmp_path / "checkpoint.json")


@pytest.fixture
def missed(receiver: Receiver, hook: Hook) -> list[str]:
    """Have the hook miss two events, and return their GUIDs, oldest first."""
    return miss_events(receiver, hook)
