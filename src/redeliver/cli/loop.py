"""Run again and again in one process, until a signal ends it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from redeliver import interruption
from redeliver.cli.news import HeldBack, News
from redeliver.cli.terminal import Screen
from redeliver.errors import (
    AccessError,
    CheckpointError,
    FileError,
    InputError,
    Interrupted,
    RedeliverError,
)
from redeliver.reporting.format import count, utc
from redeliver.reporting.report import Report
from redeliver.settings import Settings

NEEDS_A_USER = (InputError, AccessError, CheckpointError, FileError)
"""The errors that end the loop before its first completed run, so that nobody believes it works."""


def opening(settings: Settings, every: timedelta) -> str:
    """Say what the loop does, and how to stop it."""
    kind = "A dry run" if settings.options.dry_run else "A run"
    owner = settings.org or settings.repo
    match settings.hook_ids:
        case None:
            target = f"all webhooks of {owner}"
        case () if settings.hook_url:
            target = f"the webhook of {owner} whose payload URL matches 'hook-url'"
        case ():
            target = f"the webhook of GitHub App {settings.app_id}"
        case ids:
            target = f"{'webhook' if len(ids) == 1 else 'webhooks'} {', '.join(map(str, ids))}"
            target += f" of {owner}"
    return (
        f"{kind} starts every {_span(every)}, for {target}. It prints only what the run before has "
        "not printed. Ctrl-C, SIGINT or SIGTERM stops this process"
    )


def _span(span: timedelta) -> str:
    """Write a time span as in --every, in the largest unit in which it is a whole number."""
    seconds = int(span.total_seconds())
    if seconds % 60:
        return f"{seconds}s"
    return f"{seconds // 60}m" if seconds % 3600 else f"{seconds // 3600}h"


class Run(Protocol):
    """Makes one run."""

    def __call__(self, screen: Screen, *, at_once: bool) -> Report:
        """Run once, or raise as `Loop.until_signal`. With `at_once`, no event waits."""
        ...


class Loop:
    """The runs of one process."""

    def __init__(
        self,
        run: Run,
        new_screen: Callable[[], Screen],
        *,
        every: timedelta,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = interruption.sleep,
    ) -> None:
        """Start a run every `every`, each on a new screen. `now` is the time for the log."""
        self._run = run
        self._new_screen = new_screen
        self._every = every.total_seconds()
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._news = News()
        self._failed = 0
        """How many runs have failed since the last one that did not."""
        self._has_completed = False
        self._has_been_quiet = False

    def until_signal(self) -> int:
        """Run until a signal, and return the exit status.

        Raise `Interrupted` if a signal ends a run that has no report, and an error that somebody
        has to do something about if no run has completed yet.
        """
        while True:
            began = self._clock()
            report = self._run_once()
            if report and report.interrupted:
                return report.status
            try:
                self._sleep(max(began + self._every - self._clock(), 0))
            except Interrupted as stop:
                self._new_screen().say(f"{utc(self._now())}: {stop.signal.name} stops this process")
                return 128 + stop.signal

    def _run_once(self) -> Report | None:
        """Run, print what is new, and return the report; None if the run failed without one."""
        screen = HeldBack(self._new_screen(), self._news, heading=f"Run of {utc(self._now())}")
        report = None
        try:
            # Somebody may have started this process because the receiver works again.
            report = self._run(screen, at_once=not self._has_completed)
        except RedeliverError as error:
            if isinstance(error, NEEDS_A_USER) and not self._has_completed:
                raise
            screen.fail(str(error))
        else:
            self._has_completed = True
        if not report or any(scan.error for scan in report.scans):
            self._failed += 1
        elif self._failed:
            screen.sum_up(f"Runs work again, after {count(self._failed, 'failed run')}")
            self._failed = 0
        elif screen.is_silent and not report.failed and not self._has_been_quiet:
            screen.sum_up("Nothing to redeliver. From now on, a run without news prints nothing")
            self._has_been_quiet = True
        self._news.end_run(has_completed=report is not None)
        return report
