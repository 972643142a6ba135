"""The history of random days: attempts, values of the variable, and reports."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from github_sandbox import Hook, VirtualClock
from redeliver.core.outcome import Outcome
from redeliver.reporting.report import Report

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
    """All attempts to deliver the events of a webhook, and what runs reported about the events."""

    def __init__(self, hook: Hook, clock: VirtualClock) -> None:
        self._hook = hook
        self._clock = clock
        self.attempts: dict[str, list[Attempt]] = {}
        """By GUID, oldest first."""
        self.redelivered_by_hand: set[str] = set()
        self.log_delay = timedelta()
        """How long after an attempt the log shows it."""
        self.scanned_since = clock()
        """The time since which the first run that saved a checkpoint read the log."""
        self.reported_final: set[str] = set()
        """The GUIDs for which a run reported a final outcome."""
        self.gaps: list[tuple[datetime, datetime]] = []
        """Periods that a run reported as missing in the log."""

    def record_new_attempts(self) -> None:
        """Record the new rows of the log, also those that the API does not show yet.

        Only events in `attempts` are recorded.
        """
        for row in reversed(self._hook.log):
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

    def record_report(self, report: Report | None, lines: Iterable[str]) -> None:
        """Record what a run reported.

        A killed run leaves only the lines of its log; an interrupted run leaves a report, too.
        """
        texts = [line.split() for line in lines if line.startswith("Given up: ")]
        self.reported_final |= {
            guid for guid in self.attempts if any(guid in text for text in texts)
        }
        if report:
            given_up = report.results_with(Outcome.GIVEN_UP)
            self.reported_final |= {result.decision.delivery.guid for result in given_up}
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

    def newest(self, guid: str) -> datetime:
        """Return the time of the newest attempt at an event."""
        return max(attempt.at for attempt in self.attempts[guid])

    def open_events(self) -> set[str]:
        """Return the GUIDs of the events that some run still has to redeliver."""
        return {
            guid
            for guid, attempts in self.attempts.items()
            if not any(attempt.succeeded for attempt in attempts)
            and guid not in self.reported_final
            and self.newest(guid) >= self.scanned_since
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
