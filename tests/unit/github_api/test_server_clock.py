"""GitHub's clock, which its responses set."""

from datetime import timedelta

import pytest

from redeliver.github_api.server_clock import ServerClock
from tests.support.builders import NOW


def test_the_clock_advances_in_seconds_and_never_goes_back() -> None:
    times = iter([100.0, 100.9, 161.5, 161.5, 161.9])
    clock = ServerClock(elapsed=lambda: next(times))

    clock.sync(NOW)

    assert clock() == NOW
    clock.sync(NOW)
    assert clock() == NOW + timedelta(seconds=61)


def test_a_clock_without_a_response_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="no response has told the time yet"):
        ServerClock()()
