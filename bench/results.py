"""All runs of a case, and their medians.

Pure: it gets what was measured as an argument.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bench.cases import Case, Program
from bench.measure import Measured
from bench.minimum import Minimum, minimum
from bench.series import Run, mostly_waits
from bench.times import Times, rounded


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

    def times(self, program: Program, latency: float) -> Times:
        """Return how long a program's processes ran."""
        return Times([run.seconds for run in self.runs[program, latency]])

    def has_failed(self, program: Program, latency: float) -> bool:
        """Return whether a run of a program ended with an error."""
        return any(run.failed for run in self.runs[program, latency])

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
class Compared:
    """A time that is compared with that of another program."""

    seconds: Decimal
    """As the page shows it."""
    spread: float
    """How much longer the longest run took than the shortest."""


def process_time(result: Result, program: Program, latency: float) -> Compared:
    """Return how long a program's process ran."""
    times = result.times(program, latency)
    return Compared(seconds=rounded(times.median), spread=times.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slower:
    """A case in which redeliver takes longer than other programs."""

    case: Case
    latency: float
    by: Mapping[Program, Decimal]
    """By how many seconds."""


def where_slower(
    results: Iterable[Result], time: Callable[[Result, Program, float], Compared]
) -> list[Slower]:
    """Return where redeliver takes longer than another program that did the same.

    Leave out differences that are not larger than the spread of the runs of each program.
    """
    found = []
    for result in results:
        for latency in result.latencies:
            ours, by = time(result, Program.REDELIVER, latency), {}
            for program in result.programs:
                if result.has_failed(program, latency):
                    continue
                theirs = time(result, program, latency)
                difference = ours.seconds - theirs.seconds
                if difference > max(ours.spread, theirs.spread):
                    by[program] = difference
            if by:
                found.append(Slower(case=result.case, latency=latency, by=by))
    return found
