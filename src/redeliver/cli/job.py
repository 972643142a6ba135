"""The runs of one command line: from flags and environment to what each run prints."""

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from redeliver import wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.cli.environment import parse_interval, parse_settings, resolve
from redeliver.cli.terminal import Screen, Stream, screen_for
from redeliver.cli.wording import Wording
from redeliver.reporting import messages, outputs
from redeliver.reporting.report import Report
from redeliver.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run has to do."""

    settings: Settings
    checkpoint_file: Path | None
    every: timedelta | None
    """The time from the start of a run to the start of the next; None to run once."""

    @classmethod
    def read(
        cls,
        flags: Mapping[str, str],
        environment: Mapping[str, str],
        wording: Wording,
        *,
        at_once: bool = False,
    ) -> "Job":
        """Read flags, environment and private key, or raise `InputError`.

        From then on, `wording` knows the secrets. With `at_once`, no event waits.
        """
        invocation = resolve(flags, environment)
        wording.learn(invocation)
        settings = parse_settings(invocation, at_once=at_once)
        return cls(
            settings=settings,
            checkpoint_file=invocation.checkpoint_file,
            every=parse_interval(invocation, settings),
        )

    def run(self, screen: Screen) -> Report:
        """Run once, or raise `RedeliverError` or `Interrupted`."""
        file = self.checkpoint_file
        with locked(file) if file else nullcontext(), screen:
            return wiring.redeliver(
                self.settings,
                screen,
                store_in=(lambda clock: CheckpointFile(file, clock=clock)) if file else None,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line, and where it prints."""

    flags: Mapping[str, str]
    environment: Mapping[str, str]
    wording: Wording
    out: Stream
    errors: Stream
    as_json: bool

    def read(self, *, at_once: bool = False) -> Job:
        """Return what to do, or raise `InputError`. This reads the private key."""
        return Job.read(self.flags, self.environment, self.wording, at_once=at_once)

    def new_screen(self) -> Screen:
        """Return the screen of one run."""
        return screen_for(self.errors if self.as_json else self.out, self.errors, self.wording)

    def run_anew(self, screen: Screen, *, at_once: bool) -> Report:
        """Read everything again, and run once, with all that a run prints."""
        report = self.read(at_once=at_once).run(screen)
        self.conclude(report, screen)
        return report

    def conclude(self, report: Report, screen: Screen) -> int:
        """Print what a run says at its end, and return its exit status."""
        screen.conclude(report)
        for warning in messages.warnings(report):
            screen.warn(warning)
        if problem := messages.problem(report):
            screen.fail(problem)
        if self.as_json:
            self.out.print(self.wording.without_secrets(outputs.to_json(report)))
            if self.out.is_broken:
                screen.fail("the report could not be written to standard output")
                return report.status or os.EX_IOERR
        return report.status
