"""The text of docs/benchmarks.md: `page.md`, filled in.

Pure, but for reading that file.
"""

from collections.abc import Sequence
from pathlib import Path

from bench import sentences
from bench.cases import PER_MINUTE, Program
from bench.figures import Figures
from bench.jobs import Jobs
from bench.machine import Machine
from bench.measure import OLDER
from bench.minimum import AT_ONCE, POINTS_PER_MINUTE
from bench.results import Result, process_time, where_slower
from bench.series import MOSTLY_WAITS, WAITING_AT_ONCE
from bench.start import BEFORE
from bench.table import (
    MEGA,
    before_and_now,
    job_table,
    milliseconds,
    results_table,
    slower_list,
    starts_table,
)
from bench.times import Times
from redeliver.engine.checkpoint_reader import MAX_AGE
from redeliver.github_api.throttle import MAX_POINTS, URGENT_POINTS
from redeliver.wiring import WORKERS

TEMPLATE = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")


def render(figures: Figures) -> str:
    """Return the text of the page."""
    machine, results = figures.machine, figures.results
    jobs = Jobs.of(results, build=figures.image.times, install=figures.octokit.times)
    latencies = list(map(milliseconds, results[0].latencies))
    return TEMPLATE.format(
        day=f"{figures.day:%Y-%m-%d}",
        cores=machine.cores,
        processor=machine.processor,
        system=machine.system,
        python=machine.python,
        node=machine.node,
        octokit=machine.octokit,
        base=_base(machine),
        latencies=" and ".join(latencies),
        either_latency=" or ".join(latencies),
        least_latency=latencies[0],
        workers=WORKERS,
        per_minute=PER_MINUTE,
        at_once=AT_ONCE,
        points=POINTS_PER_MINUTE,
        max_points=MAX_POINTS,
        urgent_points=URGENT_POINTS,
        max_age=MAX_AGE,
        older=f"{OLDER:,}",
        waiting=WAITING_AT_ONCE,
        mostly_waits=f"{MOSTLY_WAITS:.0f}",
        share=f"{sentences.cpu_share(results):.0%}",
        few_failures=sentences.few_failures(results),
        several_at_once=sentences.several_at_once(results),
        refused=sentences.refused(results),
        longer_than_a_minute=sentences.longer_than_a_minute(results, jobs),
        table=results_table(results),
        slower=slower_list(where_slower(results, process_time)),
        jobs=job_table([result for result in results if result.case.is_job], jobs),
        slower_jobs=slower_list(where_slower(results, jobs.time)),
        build=jobs.build,
        image_size=f"{figures.image.size / MEGA:.0f}",
        install=jobs.install,
        install_size=f"{figures.octokit.size / MEGA:.0f}",
        container=jobs.container,
        starts=starts_table(figures.starts),
        before=BEFORE,
        before_and_now=before_and_now(figures.before, figures.now),
        quiet_run=sentences.quiet_run(results[0]),
        first=_first_request(results, Program.REDELIVER),
        script_first=_first_request(results, Program.SCRIPT),
    )


def _base(machine: Machine) -> str:
    if machine.is_official_base:
        return f"redeliver ran in its image, built on `{machine.base_image}`."
    return (
        f"redeliver ran in its image. But the base, `{machine.base_image}`, was not the one from "
        "Docker Hub: it was made from Debian's packages, which are the same Debian and another "
        "build of Python."
    )


def _first_request(results: Sequence[Result], program: Program) -> Times:
    return Times([run.start for result in results for run in result.all_runs(program)])
