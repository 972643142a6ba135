"""One run of the command: from flags and environment to what it prints."""

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from redeliver import wiring
from redeliver.cli.checkpoint_file import CheckpointFile, locked
from redeliver.cli.environment import parse_interval, parse_settings, resolve
from redeliver.cli.terminal import Screen, Stream
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
        cls, flags: Mapping[str, str], environment: Mapping[str, str], wording: Wording
    ) -> "Job":
        """Read flags, environment and private key, or raise `InputError`.

        From then on, `wording` knows the secrets.
        """
        invocation = resolve(flags, environment)
        wording.learn(invocation)
        settings = parse_settings(invocation)
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


def conclude(report: Report, screen: Screen, wording: Wording, *, json_to: Stream | None) -> int:
    """Print what a run says at its end, and return its exit status."""
    screen.conclude(report)
    for warning in messages.warnings(report):
        screen.warn(warning)
    if problem := messages.problem(report):
        screen.fail(problem)
    if json_to:
        json_to.print(wording.without_secrets(outputs.to_json(report)))
        if json_to.is_broken:
            screen.fail("the report could not be written to standard output")
            return report.status or os.EX_IOERR
    return report.status
