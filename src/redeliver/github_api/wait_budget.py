"""Count how long a run has waited for GitHub, and say when it may wait no longer."""


class WaitBudget:
    """The total time that a run may wait.

    Threads that wait at the same time share one wait.
    """

    def __init__(self, seconds: float) -> None:
        """Allow `seconds` in total."""
        self._left = seconds
        self.without_response = 0.0
        """How many seconds of the waits were for responses that did not come."""
        self._waits: list[tuple[float, float]] = []
        """When threads have waited, or will: from when until when. No two of these overlap."""

    @property
    def is_exceeded(self) -> bool:
        """Whether the run has waited longer than it may."""
        return self._left < 0

    def take(self, seconds: float, now: float) -> float | None:
        """Take the part that no thread waits for yet, and return it; None if too little is left."""
        until = now + seconds
        more = self._uncounted(now, until)
        if more > self._left:
            return None
        self._count(now, until)
        return more

    def charge(self, since: float, now: float) -> None:
        """Count a wait for a response that did not come, even if that exceeds the budget."""
        self.without_response += self._uncounted(since, now)
        self._count(since, now)

    def _uncounted(self, start: float, end: float) -> float:
        counted = (min(end, until) - max(start, since) for since, until in self._waits)
        return end - start - sum(seconds for seconds in counted if seconds > 0)

    def _count(self, start: float, end: float) -> None:
        self._left -= self._uncounted(start, end)
        apart = []
        for since, until in self._waits:
            if until < start or end < since:
                apart.append((since, until))
            else:
                start, end = min(start, since), max(end, until)
        self._waits = [*apart, (start, end)]
