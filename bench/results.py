"""All runs of a case, and their medians.

Pure: it gets what was measured as an argument.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cases import Case, Program
from bench.measure import Measured
from bench.minimum import Minimum, minimum
from bench.series import Run, mostly_waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of a case, by program and latency."""

    case: Case
    runs: Mapping[tuple[Program, float], Sequence[Measured]]

    @property
    def latencies(self) -> list[float]:
        """The latencies, in the order in which they were measured."""
        return list(dict.fromkeys(latency for _, latency in self.runs))

    @property
    def programs(self) -> list[Program]:
        """The programs, in the order in which they were measured."""
        return list(dict.fromkeys(program for program, _ in self.runs))

    def seconds(self, program: Program, latency: float) -> list[float]:
        """Return the seconds of a program's runs."""
        return [run.seconds for run in self.runs[program, latency]]

    def median(self, program: Program, latency: float) -> float:
        """Return the median of these."""
        return median(self.seconds(program, latency))

    def minimum(self, latency: float) -> Minimum:
        """Return the least time at redeliver's limits."""
        return minimum(self.case, latency)

    def mostly_waits(self, latency: float) -> bool:
        """Whether other runs were measured at the same time."""
        return mostly_waits(self.case, latency)

    def all_runs(self, program: Program) -> list[Measured]:
        """Return the runs of a program at all latencies."""
        return [run for (its, _), runs in self.runs.items() if its is program for run in runs]


def collect(measured: Iterable[tuple[Run, Measured]]) -> list[Result]:
    """Group what was measured by case."""
    by_case: dict[Case, dict[tuple[Program, float], list[Measured]]] = {}
    for run, one in measured:
        runs = by_case.setdefault(run.case, defaultdict(list))
        runs[run.program, run.latency].append(one)
    return [Result(case=case, runs=runs) for case, runs in by_case.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slower:
    """A case in which redeliver takes longer than another program, by the medians."""

    case: Case
    program: Program
    latency: float
    by: float


def where_slower(results: Iterable[Result]) -> list[Slower]:
    """Return where redeliver is slower than another program that did the same."""
    found = []
    for result in results:
        for program, latency in result.runs:
            if any(run.failed for run in result.runs[program, latency]):
                continue
            ours = result.median(Program.REDELIVER, latency)
            theirs = result.median(program, latency)
            if ours > theirs:
                found.append(
                    Slower(case=result.case, program=program, latency=latency, by=ours - theirs)
                )
    return found
