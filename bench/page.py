"""Render the results: the table, and the page docs/benchmarks.md."""

import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from bench.cases import PER_PAGE, Case, Program
from bench.measure import Measured
from bench.overhead import MICRO, Cpu, Image
from redeliver.github_api.throttle import MAX_POINTS, URGENT_POINTS
from redeliver.wiring import WORKERS

MEGA = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of a case."""

    case: Case
    latency: float
    runs: Mapping[Program, Sequence[Measured]]

    def seconds(self, program: Program) -> float:
        """Return the median of a program's runs."""
        return median(run.process.seconds for run in self.runs[program])

    @property
    def minimum(self) -> float:
        """The shortest possible duration of the case, in seconds.

        The process has to start, and to wait if there is a limit on redeliveries. It needs a round
        trip for each request for the variable, for each page, and for the redeliveries that the
        workers send at the same time.
        """
        case = self.case
        start = median(run.start for run in self.runs[Program.REDELIVER])
        pages = 1 if case.needs_one_page else math.ceil(case.deliveries / PER_PAGE)
        # Redeliveries need a checkpoint that is saved before as well as after them.
        variable_requests = 3 if case.failures else 2
        round_trips = variable_requests + pages + math.ceil(case.failures / WORKERS)
        limit = case.redeliveries_per_minute
        minutes = max(case.failures - 1, 0) // limit if limit else 0
        return start + round_trips * self.latency + 60 * minutes


HEAD = (
    "case",
    "program",
    "runs",
    "seconds",
    "times as fast as the script",
    "times the minimum",
    "requests",
    "points",
    "refused, rate limit",
    "peak memory, MB",
)


def table(results: Iterable[Result]) -> str:
    """Return the medians of every case as a Markdown table."""
    lines = [_row(HEAD), _row(["---"] * 2 + ["--:"] * (len(HEAD) - 2))]
    lines += [
        _row(_cells(result, program))
        for result in results
        for program in Program
        if result.runs[program]
    ]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(result: Result, program: Program) -> list[str]:
    runs = result.runs[program]
    seconds = result.seconds(program)
    is_redeliver = program is Program.REDELIVER
    speedup = ""
    if is_redeliver and result.runs[Program.SCRIPT]:
        speedup = f"{result.seconds(Program.SCRIPT) / seconds:.1f}"
    return [
        result.case.name if is_redeliver else "",
        program.value,
        f"{len(runs)}",
        f"{seconds:.2f}",
        speedup,
        f"{seconds / result.minimum:.2f}" if result.latency else "",
        f"{median(run.requests for run in runs):,.0f}",
        f"{median(run.points for run in runs):,.0f}",
        f"{median(run.limited for run in runs):,.0f}",
        f"{median(run.process.memory for run in runs) / MEGA:.0f}",
    ]


def render(
    results: Sequence[Result],
    *,
    latency: float,
    cpu: Cpu,
    imports: Mapping[str, float],
    image: Image | None,
    npm: tuple[float, int],
) -> str:
    """Return the text of the page."""
    busiest = max(results, key=lambda result: result.case.deliveries)
    (run,) = busiest.runs[Program.REDELIVER]
    total = run.process.cpu / busiest.case.deliveries * MICRO
    starts = [run.start for result in results for run in result.runs[Program.REDELIVER]]
    return PAGE.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        python=platform.python_version(),
        latency=f"{latency * 1000:.0f}",
        workers=WORKERS,
        margin=MAX_POINTS + URGENT_POINTS,
        table=table(results),
        deliveries=f"{busiest.case.deliveries:,}",
        cpu="\n".join(
            _row([part, f"{microseconds:.1f}"])
            for part, microseconds in {
                "redeliver's own code: check, count and judge each delivery": cpu.ours,
                "Python's JSON parser": cpu.json,
                "HTTP: PyGithub, requests and urllib3": total - cpu.ours - cpu.json,
                "**total**": total,
            }.items()
        ),
        start=f"{median(starts):.2f}",
        imports="\n".join(_row([name, f"{seconds:.2f}"]) for name, seconds in imports.items()),
        image=_image(image, npm),
    )


def _image(image: Image | None, npm: tuple[float, int]) -> str:
    lines = [_row(["step", "seconds", "MB"]), _row(["---", "--:", "--:"])]
    if image:
        label = "`docker build --no-cache`; the base image is already there"
        without_base = f"{image.size_without_base / MEGA:.0f} on top of the base"
        sizes = f"{image.size / MEGA:.0f}, including {without_base}"
        lines.append(_row([label, f"{image.seconds:.1f}", sizes]))
    seconds, size = npm
    lines.append(
        _row(["`npm ci` of octokit, with an empty cache", f"{seconds:.1f}", f"{size / MEGA:.0f}"])
    )
    return "\n".join(lines)


PAGE = """\
<!-- Written by `make bench`. -->
# Benchmarks

`make bench` compares redeliver with [the script in GitHub's documentation][docs]. Both run on the
same machine, against a simulated GitHub (`github_sandbox`) that waits {latency} ms before each
response. The script is `bench/script/script.js`. It sends the same requests as the original, in the
same order, with the default settings of `octokit`, which sends one write request a second.

The numbers are medians, from a machine with {cores} cores and Python {python}, on {day}.
**Compare the ratios rather than the seconds**, which depend on the machine.

- **seconds**: from the start of the process to its end, including all imports.
- **times the minimum**: the seconds divided by the shortest possible time. That is the sum of
  - the time from the start of redeliver's process to its first request;
  - one round trip to read the variable;
  - one round trip for each page of the log that is needed;
  - one round trip to save the checkpoint, or two if there are redeliveries: before and after them;
  - one round trip for every {workers} redeliveries;
  - the waiting, if the redeliveries per minute are limited.
- **points**: the points that GitHub's rate limit counts. GitHub allows 900 a minute; a read costs 1
  and a redelivery 5. redeliver uses at most {margin}.
- **refused, rate limit**: how many requests GitHub refused because of a rate limit.

`verify` is 0 unless the case says otherwise, because the script does not check the outcomes of its
redeliveries.

GitHub's delivery ids have nineteen digits today, and were shorter for a long time. These benchmarks
use short ids, with which any version of octokit works. With long ids, the script would redeliver
nothing if its octokit is from before March 2026 (with @octokit/request before 10.0.8), because such
a version rounds them.

{table}

Reading the log takes both programs about the same time, because each waits for one page after the
other. In the row with {deliveries} deliveries there is no latency, so there is no such wait.
That row has no rate limit either: github.com does not allow that many requests in one hour. For a
webhook with that many deliveries and few failures, use `scan: failures`.

## CPU time

Microseconds for each delivery that is read, with {deliveries} deliveries:

| part | µs |
| --- | --: |
{cpu}

## Start

A run takes {start} s from the start of its process to its first request (the median of all runs
above). The imports take the following seconds in a process of their own, whose end is included,
and with Python's garbage collection, which redeliver turns off while it starts:

| import | s |
| --- | --: |
{imports}

PyGithub needs requests and, for GitHub Apps, cryptography, so redeliver cannot leave them out.
The packages of the command line (click, rich) are not in the image, and the action does not import
them.

## Image

GitHub builds a Docker action at the start of each job that uses it, unless the action names an
image that is already built. The script needs Node, which GitHub's runners have, and octokit.

{image}

[docs]: https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""
