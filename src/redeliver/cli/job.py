"""The runs of one command line: from flags and environment to what each run prints."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from redeliver import wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.cli.environment import parse_interval, parse_settings, resolve
from redeliver.cli.quiet import Quiet
from redeliver.cli.terminal import Lines, Screen, Stream, screen_for
from redeliver.cli.wording import Wording
from redeliver.errors import BusyError, FileError
from redeliver.reporting import messages, outputs
from redeliver.reporting.report import Report
from redeliver.settings import Settings

if TYPE_CHECKING:
    from redeliver.cli.metrics import MetricsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run has to do."""

    settings: Settings
    checkpoint_file: Path | None
    every: timedelta | None
    """The time from the start of a run to the start of the next; None to run once."""
    metrics_file: Path | None
    is_quiet: bool

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
            metrics_file=invocation.metrics_file,
            is_quiet=invocation.is_quiet,
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
    now: Callable[[], datetime]
    """The time for people and metrics; GitHub's is unknown while GitHub is down."""
    is_quiet: bool = False
    """Whether a run without trouble prints nothing."""
    metrics: "MetricsFile | None" = None

    def read(self, *, at_once: bool = False) -> Job:
        """Return what to do, or raise `InputError`. This reads the private key."""
        return Job.read(self.flags, self.environment, self.wording, at_once=at_once)

    def new_screen(self) -> Screen:
        """Return the screen of one run."""
        if self.is_quiet:
            return Quiet(Lines(self.errors, self.errors, self.wording))
        out = self.out
        if self.as_json:  # otherwise, a mail of cron or a log would have everything twice
            out = self.errors if self.errors.is_terminal else Stream(None)
        return screen_for(out, self.errors, self.wording)

    def prepare(self, first: Job) -> "Command":
        """Return the command, ready for its first run; raise if 'metrics-file' cannot be used."""
        command = replace(self, is_quiet=first.is_quiet)
        if not first.metrics_file:
            return command
        if first.settings.options.dry_run:  # monitoring must not take it for a real run
            command.new_screen().say("A dry run does not write 'metrics-file'")
            return command
        from redeliver.cli.metrics import MetricsFile  # noqa: PLC0415 - 15 ms that few runs need

        return replace(command, metrics=MetricsFile(first.metrics_file, first.settings))

    def run_anew(self, screen: Screen, *, at_once: bool) -> Report:
        """Read everything again, and run once, with all that a run prints."""
        report, _ = self.run(lambda: self.read(at_once=at_once), screen)
        return report

    def run(self, read: Callable[[], Job], screen: Screen) -> tuple[Report, int]:
        """Run once, with all that a run prints. Return the report and the exit status."""
        began = time.monotonic()
        try:
            report = read().run(screen)
        except BusyError:  # this run did nothing, and the metrics are those of the other one
            raise
        except BaseException:
            self._write_metrics(None, 1, screen, began)
            raise
        status = self.conclude(report, screen)
        return report, self._write_metrics(report, status, screen, began)

    def _write_metrics(
        self, report: Report | None, status: int, screen: Screen, began: float
    ) -> int:
        """Write the metrics of a run with this exit status, and return the new exit status."""
        if self.metrics is None:
            return status
        try:
            self.metrics.write(
                report,
                ended=self.now(),
                seconds=time.monotonic() - began,
                succeeded=status == os.EX_OK,
            )
        except FileError as error:
            screen.fail(str(error))
            return status or os.EX_IOERR
        return status

    def conclude(self, report: Report, screen: Screen) -> int:
        """Print what a run says at its end, and return its exit status."""
        screen.conclude(report)
        for warning in messages.warnings(report):
            screen.warn(warning)
        if problem := messages.problem(report):
            screen.fail(problem)
        if self.as_json:
            text = outputs.to_json(report, adapt=self.wording.in_flags)
            self.out.print(self.wording.without_secrets(text))
            if self.out.is_broken:
                screen.fail("the report could not be written to standard output")
                return report.status or os.EX_IOERR
        return report.status
