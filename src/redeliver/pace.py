"""How fast redeliveries may be asked for, and how long a run waits for GitHub."""

import time
from collections import deque
from collections.abc import Callable

PER_MINUTE = 75
"""GitHub documents at most 80 content-creating requests in a minute, and a receiver that
has just come back is better not met by everything at once.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

PATIENCE_SECONDS = 300
"""How long a run waits for GitHub, all in all. A secondary rate limit mostly asks for a minute;
what takes longer than this is better left to the next run than paid for on a runner."""


class Pace:
    """Lets the first `PER_MINUTE` requests go at full speed, then as many in any minute."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._asked: deque[float] = deque(maxlen=PER_MINUTE)

    def wait(self) -> None:
        """Return when the next request may go, and count it as gone."""
        if len(self._asked) == PER_MINUTE:
            pause = self._asked[0] + 60 - self._clock()
            if pause > 0:
                self._say(f"Waiting {pause:.0f} s: at most {PER_MINUTE} redeliveries a minute")
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
