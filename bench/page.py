"""The text of docs/benchmarks.md: `page.md`, filled in.

Pure, but for reading that file.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.cases import PER_MINUTE, Program
from bench.figures import Figures
from bench.machine import Machine
from bench.minimum import AT_ONCE, POINTS_PER_MINUTE
from bench.results import Result, where_slower
from bench.series import MOSTLY_WAITS, WAITING_AT_ONCE
from bench.table import MEGA, job_table, milliseconds, results_table, row, slower_list
from redeliver.github_api.response_time import MAX_SECONDS
from redeliver.github_api.throttle import MAX_POINTS
from redeliver.wiring import WORKERS

TEMPLATE = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")


def render(figures: Figures) -> str:
    """Return the text of the page."""
    machine, results = figures.machine, figures.results
    latencies = " and ".join(map(milliseconds, results[0].latencies))
    return TEMPLATE.format(
        day=f"{figures.day:%Y-%m-%d}",
        cores=machine.cores,
        processor=machine.processor,
        system=machine.system,
        python=machine.python,
        node=machine.node,
        octokit=machine.octokit,
        base=_base(machine),
        latencies=latencies,
        workers=WORKERS,
        per_minute=PER_MINUTE,
        at_once=AT_ONCE,
        points=POINTS_PER_MINUTE,
        max_points=MAX_POINTS,
        max_response_time=f"{MAX_SECONDS:.0f}",
        waiting=WAITING_AT_ONCE,
        mostly_waits=f"{MOSTLY_WAITS:.0f}",
        share=f"{_cpu_share(results):.0%}",
        refused=_refused(results),
        table=results_table(results),
        slower=slower_list(where_slower(results)),
        jobs=job_table(
            [result for result in results if result.case.is_job],
            figures.image,
            figures.octokit,
        ),
        build=f"{figures.image.seconds:.1f}",
        image_size=f"{figures.image.size / MEGA:.0f}",
        install=f"{figures.octokit.seconds:.1f}",
        install_size=f"{figures.octokit.size / MEGA:.0f}",
        container=f"{_container(results):.1f}",
        starts="\n".join(row([name, f"{time:.2f}"]) for name, time in figures.starts.items()),
        first=f"{_first_request(results, Program.REDELIVER):.2f}",
        script_first=f"{_first_request(results, Program.SCRIPT):.2f}",
    )


def _base(machine: Machine) -> str:
    if machine.is_official_base:
        return f"redeliver ran in its image, built on `{machine.base_image}`."
    return (
        f"redeliver ran in its image. But the base, `{machine.base_image}`, was not the one from "
        "Docker Hub: it was made from Debian's packages, which are the same Debian and another "
        "build of Python."
    )


def _cpu_share(results: Sequence[Result]) -> float:
    """Return the largest part of its time that a run used a core, of those that mostly waited."""
    shares = [
        run.cpu / run.seconds
        for result in results
        for (_, latency), runs in result.runs.items()
        if result.mostly_waits(latency)
        for run in runs
    ]
    return max(shares, default=0)


def _refused(results: Sequence[Result]) -> str:
    refused = {
        program: sum(run.limited for result in results for run in result.all_runs(program))
        for program in Program
    }
    names = " and ".join(program.value for program, number in refused.items() if not number)
    return names or "no program"


def _container(results: Sequence[Result]) -> float:
    runs = [run for result in results for run in result.all_runs(Program.REDELIVER)]
    return median(run.with_container - run.seconds for run in runs)


def _first_request(results: Sequence[Result], program: Program) -> float:
    return median(run.start for result in results for run in result.all_runs(program))
