"""A clock that shows the real time, moved ahead as far as the user likes."""

from datetime import datetime, timedelta

from github_sandbox.clock import utc_now


class MovableClock:
    """The real time, and what has been added to it."""

    def __init__(self) -> None:
        self._added = timedelta()

    def __call__(self) -> datetime:
        """Return the time."""
        return utc_now() + self._added

    def advance(self, by: timedelta) -> None:
        """Move the time forward."""
        self._added += by
