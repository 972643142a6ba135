"""Several runs over days of virtual time, and what became of every event in the end."""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from github_sandbox import Fault, Hook, Receiver, Request, Sandbox, Status, Swallowed, VirtualClock
from redeliver.core.outcome import Outcome
from redeliver.core.policy import ScanMode
from redeliver.errors import RedeliverError
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.virtual_run import SettlingClock, run_in_process

SCHEDULE = timedelta(hours=6)
DEAD_END = "http://127.0.0.1:9/hook"
"""A URL where nothing listens, so that every delivery fails at once."""

ACCEPTED_ONLY = Swallowed()
"""GitHub accepts a redelivery, and never makes it."""

SLOW_DOWN = Status(429, "Slow down", {"Retry-After": "3600"})


class Options(TypedDict, total=False):
    """The options of `run_in_process`."""

    give_up_after: timedelta
    max_attempts: int | None
    max_redeliveries: int | None
    scan: ScanMode
    probe: int | None
    verify: timedelta
    fail_unrecovered: bool
    token: str


class Killed(BaseException):
    """Ends a run as a kill does: the program does not catch it."""


class KilledLog(list[str]):
    """The log of a run that is killed when it has logged a number of requested redeliveries."""

    def __init__(self, after: int) -> None:
        self._left = after

    def append(self, line: str) -> None:
        super().append(line)
        self._left -= line.startswith("Requested: ")
        if not self._left:
            raise Killed


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """A run that has ended: with a report, with an error, or because it was killed."""

    at: datetime
    lines: list[str]
    report: Report | None
    error: str
    requests: list[Request]

    @property
    def is_red(self) -> bool:
        return self.report.is_failed if self.report else True

    @property
    def warnings(self) -> str:
        return "\n".join(messages.warnings(self.report)) if self.report else ""

    @property
    def problem(self) -> str:
        """Why the run failed; empty if it did not."""
        return (messages.problem(self.report) or "") if self.report else self.error

    @property
    def posts(self) -> list[Request]:
        """The requests to redeliver."""
        return [request for request in self.requests if request.path.endswith("/attempts")]

    def count(self, outcome: Outcome) -> int:
        return self.report.count(outcome) if self.report else 0

    def lines_about(self, guid: str) -> list[str]:
        return [line for line in self.lines if guid in line]

    def gives_up(self, guid: str) -> bool:
        """Whether the log names the event as given up, and a warning says so as well."""
        is_named = any(line.startswith("Given up: ") for line in self.lines_about(guid))
        return is_named and "given up because" in self.warnings


class Days:
    """An organization, a receiver, and runs every few hours."""

    def __init__(self, github: Sandbox, clock: VirtualClock, receiver: Receiver) -> None:
        self.github = github
        self.clock = clock
        self.receiver = receiver
        self.runs: list[PastRun] = []
        self._broken: list[tuple[str, Fault]] = []
        self._organization = github.org("acme")

    # What happens between the runs.

    def hook(self, url: str = "") -> Hook:
        """Add a webhook to the organization, by default for the receiver."""
        return self._organization.hook(url or self.receiver.url)

    def fail(
        self,
        hook: Hook,
        number: int = 1,
        *,
        ago: timedelta = timedelta(minutes=5),
        event: str = "push",
    ) -> list[str]:
        """Log events that have failed, one a second, the first one some time ago; return them.

        By default, the next run sees them even if the last one was just now.
        """
        guids = [str(uuid.uuid4()) for _ in range(number)]
        for index, guid in enumerate(guids):
            at = self.clock() - ago + timedelta(seconds=index)
            hook.record(event=event, guid=guid, at=at, status="timed out", status_code=504)
        return guids

    @staticmethod
    def guids(hook: Hook) -> list[str]:
        """Return the events in a webhook's log, without repetitions, newest first."""
        return list(dict.fromkeys(row["guid"] for row in hook.log))

    def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)

    def break_redeliveries(self, hook: Hook, guids: Iterable[str], fault: Fault) -> None:
        """From now on, respond with a fault to requests to redeliver these events."""
        ids = "|".join(str(number) for guid in guids for number in hook.ids_of(guid))
        path = f".*/({ids})/attempts"
        self._broken.append((path, fault))
        self.github.inject(fault, method="POST", path=path, times=None)

    # Runs.

    def run(
        self, hook: Hook | None = None, *, killed_after: int = 0, **options: Unpack[Options]
    ) -> PastRun:
        """Run for one webhook, or for all, and let the redeliveries end."""
        lines: list[str] = KilledLog(killed_after) if killed_after else []
        before, at = len(self.github.requests), self.clock()
        report, error = None, ""
        clock = SettlingClock(self.clock, self.github)
        try:
            report = run_in_process(self.github, hook, clock, lines=lines, **options)
        except RedeliverError as raised:
            error = str(raised)
        except Killed:
            error = "killed"
        self.github.settle()
        past = PastRun(
            at=at,
            lines=list(lines),
            report=report,
            error=error,
            requests=self.github.requests[before:],
        )
        self.runs.append(past)
        return past

    def run_cut_at(
        self,
        number: int,
        hook: Hook | None = None,
        *,
        kill: bool = False,
        **options: Unpack[Options],
    ) -> PastRun:
        """Run, but end the run after some redeliveries: by a rate limit, or by a kill."""
        if kill:
            return self.run(hook, killed_after=number, **options)
        nth = number + 1
        self.github.inject(SLOW_DOWN, method="POST", path=".*/attempts", nth=nth, times=None)
        past = self.run(hook, **options)
        self.github.mend()
        for path, fault in self._broken:
            self.github.inject(fault, method="POST", path=path, times=None)
        return past

    def run_for(
        self,
        span: timedelta,
        hook: Hook | None = None,
        *,
        every: timedelta = SCHEDULE,
        **options: Unpack[Options],
    ) -> list[PastRun]:
        """Pass time and run, until the span is over; return the runs."""
        runs = []
        for _ in range(span // every):
            self.pass_time(every)
            runs.append(self.run(hook, **options))
        return runs

    # The end.

    @property
    def checkpoint(self) -> str:
        """The variable's value, or "" if there is none."""
        return self.github.repository("acme/ops").variables.get("LAST_REDELIVERY", "")

    @property
    def accepted(self) -> Counter[str]:
        """How often the receiver has accepted each event."""
        return Counter(r.guid for r in self.receiver.received() if r.status == 200)

    def requested(self, guids: Collection[str], hook: Hook) -> Counter[str]:
        """How often GitHub's log shows a redelivery of each of these events."""
        rows = [row["guid"] for row in hook.log if row["redelivery"]]
        return Counter({guid: rows.count(guid) for guid in guids})

    def assert_delivered(self, guids: Iterable[str]) -> None:
        """Check that the receiver has accepted each of these events exactly once."""
        expected = dict.fromkeys(guids, 1)
        assert expected
        accepted = self.accepted
        assert {guid: accepted[guid] for guid in expected} == expected
        assert not any(run.gives_up(guid) for guid in expected for run in self.runs)

    def assert_given_up(self, guids: Collection[str]) -> None:
        """Check that a run gave up each of these events, by name and with a warning.

        Several runs can say so, while another event holds the checkpoint.
        """
        assert guids
        accepted = self.accepted
        for guid in guids:
            assert accepted[guid] == 0
            assert any(run.gives_up(guid) for run in self.runs), guid
