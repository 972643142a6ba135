"""What happened: attempts, values of the variable, and what runs said about events."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from github_sandbox import Hook, VirtualClock

RETENTION = timedelta(days=3)
"""How long the sandbox keeps the log, as GitHub does."""


@dataclass(frozen=True)
class Attempt:
    """One row of the log, remembered for longer than GitHub keeps it."""

    id: int
    at: datetime
    visible_at: datetime
    succeeded: bool


@dataclass(frozen=True)
class SavedValue:
    """A value that was written to the variable, and the time of the write."""

    text: str
    at: datetime


class RecordedVariables(dict[str, str]):
    """A repository's variables, with all values that they ever had."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.values_saved: list[SavedValue] = []
        self._clock = clock

    def __setitem__(self, name: str, text: str) -> None:
        self.values_saved.append(SavedValue(text, self._clock()))
        super().__setitem__(name, text)


class History:
    """All attempts to deliver the events of some webhooks, and what runs said about the events."""

    def __init__(self, hooks: Sequence[Hook], clock: VirtualClock) -> None:
        self._hooks = hooks
        self._clock = clock
        self.attempts: dict[str, list[Attempt]] = {}
        """By GUID, oldest first."""
        self.hooks: dict[str, Hook] = {}
        """The webhook of each event, by GUID."""
        self.redelivered_by_hand: set[str] = set()
        self.log_delay = timedelta()
        """How long after an attempt the log shows it."""
        self.scanned_since = clock()
        """The time since which the first run that saved a checkpoint read the log."""
        self.given_up: set[str] = set()
        """The GUIDs of the events that the log of a run named as given up."""
        self.recovered: set[str] = set()
        """The GUIDs of the events that the log of a run named as recovered."""
        self.gaps: list[tuple[datetime, datetime]] = []
        """Periods that a run reported as missing in the log."""

    def add_event(self, guid: str, hook: Hook) -> None:
        """Expect an event, before the first attempt to deliver it."""
        self.attempts[guid] = []
        self.hooks[guid] = hook

    def record_new_attempts(self) -> None:
        """Record the new rows of the logs, also those that the API does not show yet.

        Only events in `attempts` are recorded.
        """
        for hook in self._hooks:
            for row in reversed(hook.log):
                attempts = self.attempts.get(row["guid"], [])
                if all(attempt.id != row["id"] for attempt in attempts):
                    at = datetime.fromisoformat(row["delivered_at"])
                    attempts.append(
                        Attempt(
                            id=row["id"],
                            at=at,
                            visible_at=at + self.log_delay,
                            succeeded=row["status_code"] == 200,
                        )
                    )

    def record_run(self, lines: Sequence[str]) -> None:
        """Record what a run said in its log; a killed run leaves nothing else."""
        self.given_up |= self._named(lines, "Given up: ")
        self.recovered |= self._named(lines, "Recovered: ")
        for line in lines:
            if gap := re.match(
                r"Warning: deliveries from (.*) UTC to (.*) UTC may have left", line
            ):
                start, end = (
                    datetime.fromisoformat(text).replace(tzinfo=UTC) for text in gap.groups()
                )
                assert end <= self._clock() - RETENTION
                # The report has whole seconds.
                self.gaps.append((start, end + timedelta(seconds=1)))

    def _named(self, lines: Iterable[str], beginning: str) -> set[str]:
        """Return the GUIDs of the events in lines that begin like this."""
        words = {word for line in lines if line.startswith(beginning) for word in line.split()}
        return words & self.attempts.keys()

    def first(self, guid: str) -> datetime:
        """Return the time of the first attempt at an event."""
        return min(attempt.at for attempt in self.attempts[guid])

    def newest(self, guid: str) -> datetime:
        """Return the time of the newest attempt at an event."""
        return max(attempt.at for attempt in self.attempts[guid])

    def delivered(self) -> set[str]:
        """Return the GUIDs of the events that a receiver has accepted."""
        return {
            guid
            for guid, attempts in self.attempts.items()
            if any(attempt.succeeded for attempt in attempts)
        }

    def open_events(self) -> set[str]:
        """Return the GUIDs of the events that some run still has to redeliver."""
        return {
            guid
            for guid in self.attempts.keys() - self.delivered() - self.given_up
            if self.newest(guid) >= self.scanned_since
            and not any(start <= self.newest(guid) <= end for start, end in self.gaps)
        }

    def visible_attempts(self) -> list[tuple[str, int]]:
        """Return the GUID and the id of each attempt that the log shows now."""
        now = self._clock()
        return [
            (guid, attempt.id)
            for guid, attempts in self.attempts.items()
            for attempt in attempts
            if attempt.visible_at <= now <= attempt.at + RETENTION
        ]

    def visible_successes(self) -> set[str]:
        """Return the GUIDs of the events whose success the log shows now."""
        now = self._clock()
        return {
            guid
            for guid, attempts in self.attempts.items()
            if any(attempt.succeeded and attempt.visible_at <= now for attempt in attempts)
        }

    def guids(self) -> Mapping[int, str]:
        """Return the GUID of each attempt by its id."""
        return {
            attempt.id: guid for guid, attempts in self.attempts.items() for attempt in attempts
        }
