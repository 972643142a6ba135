"""Simulate when redeliveries reach a receiver, with the throttle and the workers of redeliver."""

import heapq
from datetime import timedelta

from redeliver.github_api.throttle import Throttle
from redeliver.wiring import WORKERS


class _Time:
    """The time of a simulation, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def arrivals(number: int, *, per_minute: int, latency: timedelta) -> list[timedelta]:
    """Return when each of `number` redeliveries reaches the receiver, since the first one.

    GitHub responds to a request after `latency`, and delivers at that moment.
    """
    time = _Time()
    throttle = Throttle(lambda _line: None, per_minute=per_minute, clock=time, sleep=time.sleep)
    free = [0.0] * WORKERS
    """When each worker is free."""
    found = []
    for _ in range(number):
        time.now = max(time.now, heapq.heappop(free))
        throttle.wait_for_turn()
        heapq.heappush(free, time.now + latency.total_seconds())
        found.append(timedelta(seconds=time.now))
    return [at - found[0] for at in found]
