"""Measure all runs: short ones one after the other, and those that mostly wait at the same time."""

import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from bench.cases import Case, Program
from bench.measure import Measured, measure
from bench.minimum import minimum

WAITING_AT_ONCE = 6
MOSTLY_WAITS = 5.0
"""Seconds. If a case takes at least this long, its runs wait for GitHub nearly all of the time, so
that several of them do not slow each other down."""
ONE_RUN = 300.0
"""Seconds. If a case takes at least this long, each program runs only once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run of a program."""

    case: Case
    program: Program
    latency: float


def mostly_waits(case: Case, latency: float) -> bool:
    """Return whether runs of a case may be measured at the same time as others."""
    return minimum(case, latency).seconds >= MOSTLY_WAITS


def plan(cases: Iterable[Case], latencies: Sequence[float], most: int | None) -> list[Run]:
    """Return all runs, at most `most` of each kind. The programs take turns."""
    runs = []
    for case in cases:
        for latency in latencies:
            count = 1 if minimum(case, latency).seconds >= ONE_RUN else case.runs
            runs += [
                Run(case=case, program=program, latency=latency)
                for _ in range(min(count, most or count))
                for program in case.programs
            ]
    return runs


def measure_all(runs: Sequence[Run], *, image: str | None) -> list[tuple[Run, Measured]]:
    """Measure all runs, each with a simulated GitHub in a process of its own.

    Return them in the order of `runs`.
    """
    alone = [run for run in runs if not mostly_waits(run.case, run.latency)]
    waiting = [run for run in runs if mostly_waits(run.case, run.latency)]
    # The longest first, so that at the end no long one runs alone.
    waiting.sort(key=lambda run: minimum(run.case, run.latency).seconds, reverse=True)
    measured = _measure(alone, 1, image, done=0, total=len(runs))
    measured |= _measure(waiting, WAITING_AT_ONCE, image, done=len(alone), total=len(runs))
    return [(run, measured[run]) for run in runs]


def _measure(
    runs: Sequence[Run], at_once: int, image: str | None, *, done: int, total: int
) -> dict[Run, Measured]:
    spawn = multiprocessing.get_context("spawn")
    results: dict[Run, Measured] = {}
    with ProcessPoolExecutor(at_once, mp_context=spawn, max_tasks_per_child=1) as pool:
        futures: dict[Future[Measured], Run] = {
            pool.submit(measure, run.case, run.program, run.latency, image): run for run in runs
        }
        for number, future in enumerate(as_completed(futures), start=done + 1):
            run, measured = futures[future], future.result()
            results[run] = measured
            print(
                f"[{number}/{total}] {run.case.name}; {run.latency * 1000:.0f} ms; "
                f"{run.program.value}: {measured.seconds:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return results
