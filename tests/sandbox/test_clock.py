"""The virtual clock stands still until a test advances it."""

import threading
import time
from datetime import UTC, datetime, timedelta

from github_sandbox import VirtualClock


class SlowlyAdded(datetime):
    """A time whose addition is slow, so that other threads run meanwhile."""

    def __add__(self, by: timedelta) -> "SlowlyAdded":
        time.sleep(0.0001)
        return super().__add__(by)


def test_a_clock_can_be_advanced_by_many_threads() -> None:
    clock = VirtualClock(SlowlyAdded(2026, 1, 10, tzinfo=UTC))

    def advance() -> None:
        for _ in range(20):
            clock.advance(timedelta(seconds=1))

    threads = [threading.Thread(target=advance) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock() == datetime(2026, 1, 10, 0, 2, 40, tzinfo=UTC)
