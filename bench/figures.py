"""Measure everything that the page shows."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bench.cases import Case
from bench.imports import start_times
from bench.machine import Machine, machine
from bench.preparation import TAG, Preparation, build_image, install_octokit
from bench.results import Result, collect
from bench.series import measure_all, plan
from bench.start import Start, measure_starts
from bench.times import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything that was measured."""

    day: date
    results: Sequence[Result]
    starts: Mapping[str, Times]
    before: Start
    now: Start
    machine: Machine
    image: Preparation
    octokit: Preparation


def measure_figures(
    cases: Iterable[Case], latencies: Sequence[float], *, most_runs: int | None = None
) -> Figures:
    """Measure some cases and all else, nothing more often than `most_runs` times."""
    _say("Building the image")
    image = build_image(most_runs)
    _say("Installing octokit")
    octokit = install_octokit(most_runs)
    _say("Starting the programs")
    starts = start_times(TAG, most_runs)
    before, now = measure_starts(min(latencies), most_runs)
    measured = measure_all(plan(cases, latencies, most_runs), image=TAG)
    return Figures(
        day=datetime.now(UTC).date(),
        results=collect(measured),
        starts=starts,
        before=before,
        now=now,
        machine=machine(),
        image=image,
        octokit=octokit,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
