"""Fixtures: a delivery log that is read over HTTP."""

import pytest

from github_sandbox import Hook, Sandbox
from redeliver.github_api.delivery_log import DeliveryLog
from tests.support.sandboxes import a_delivery_log


@pytest.fixture
def log(github: Sandbox, recorded_hook: Hook) -> DeliveryLog:
    return a_delivery_log(github, recorded_hook)
