"""How fast redeliveries may be asked for, how long a run waits for GitHub, how often it says so."""

import time
from collections import deque
from collections.abc import Callable

MOST_PER_MINUTE = 160
"""GitHub takes 900 points a minute, of which a redelivery costs 5: 180 a minute, less what the
reads in between cost. It documents 80 content-creating requests a minute, too; hence the 75 that
are usual, and a receiver that has just come back is better not met by everything at once.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

PATIENCE_SECONDS = 300
"""How long a run waits for GitHub, all in all. A secondary rate limit mostly asks for a minute;
what takes longer than this is better left to the next run than paid for on a runner."""

SAY_EVERY_SECONDS = 15
"""How often long work is told of: seldom enough to read, often enough to see it is alive."""


class Pace:
    """Lets the first `per_minute` requests go at full speed, then as many in any minute."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """With 0 a minute, let as many go as GitHub takes."""
        self._say = say
        self._per_minute = per_minute or MOST_PER_MINUTE
        self._clock = clock
        self._sleep = sleep
        self._asked: deque[float] = deque(maxlen=self._per_minute)

    def wait(self) -> None:
        """Return when the next request may go, and count it as gone."""
        if len(self._asked) == self._per_minute:
            pause = self._asked[0] + 60 - self._clock()
            if pause > 0:
                self._say(
                    f"Waiting {pause:.0f} s: at most {self._per_minute} redeliveries a minute"
                )
                self._sleep(pause)
        self._asked.append(self._clock())


class Patience:
    """Waits for GitHub, at most `PATIENCE_SECONDS` in a run, and never without saying so."""

    def __init__(
        self, say: Callable[[str], None], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._say = say
        self._sleep = sleep
        self._left: float = PATIENCE_SECONDS

    def wait(self, seconds: float, why: str) -> bool:
        """Wait `seconds` and return True, or return False at once if that is too long."""
        if seconds > self._left:
            return False
        self._left -= seconds
        self._say(f"Waiting {seconds:.1f} s: {why}")
        self._sleep(seconds)
        return True


class Progress:
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
