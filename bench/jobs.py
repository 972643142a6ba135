"""The time of a whole job: preparation, container and process.

Pure: it gets what was measured as an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bench.cases import Program
from bench.results import Compared, Result
from bench.times import Times, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What a job takes in addition to the process of its program."""

    build: Times
    """To build the image in which redeliver runs."""
    install: Times
    """To install octokit."""
    container: Times
    """To start and end the container in which redeliver runs."""

    @classmethod
    def of(cls, results: Sequence[Result], *, build: Times, install: Times) -> Self:
        """Return these, with the containers that the results have."""
        runs = [run for result in results for run in result.all_runs(Program.REDELIVER)]
        container = Times([run.with_container - run.seconds for run in runs])
        return cls(build=build, install=install, container=container)

    def time(self, result: Result, program: Program, latency: float) -> Compared:
        """Return how long a job takes: the sum of what the page shows, so that readers can add."""
        run = result.times(program, latency)
        if program is not Program.REDELIVER:
            parts = [self.install, run]
            spread = self.install.spread + run.spread
        else:
            parts = [self.build, self.container, run]
            with_container = Times([run.with_container for run in result.runs[program, latency]])
            spread = self.build.spread + with_container.spread
        seconds = rounded(float(sum(rounded(part.median) for part in parts)))
        return Compared(seconds=seconds, spread=spread)
