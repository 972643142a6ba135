"""How often a run says how far it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass

SAY_EVERY_SECONDS = 15
"""How often long work is told of: seldom enough to read, often enough to see it is alive."""


class PeriodicProgress:
    """Tells of long work in lines, not too many of them."""

    def __init__(
        self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._told_at = clock()

    def __call__(self, what: str, done: int, of: int | None) -> None:
        """Say how much is done if that was not said for `SAY_EVERY_SECONDS`."""
        now = self._clock()
        if now - self._told_at >= SAY_EVERY_SECONDS:
            self._told_at = now
            self._say(f"{what} {done:,} of {of:,}" if of is not None else f"{what} {done:,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where a run is seen."""

    say: Callable[[str], None]
    """Prints a line."""
    progress: Callable[[str, int, int | None], None]
    """Shows how much of something is done, and of how much; None if nobody knows."""
    mask: Callable[[str], None]
    """Is told each secret that GitHub issues, before anything else knows it."""
