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
    def floor(self) -> float:
        """How many seconds the case takes at least.

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
    "who",
    "runs",
    "seconds",
    "times as fast as the script",
    "times the floor",
    "requests",
    "points",
    "refused as too many",
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
        f"{seconds / result.floor:.2f}" if result.latency else "",
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
                "our own code: rows checked, decided on, counted": cpu.ours,
                "Python's JSON parser": cpu.json,
                "PyGithub, requests and urllib3: the HTTP": total - cpu.ours - cpu.json,
                "**altogether**": total,
            }.items()
        ),
        start=f"{median(starts):.2f}",
        imports="\n".join(_row([name, f"{seconds:.2f}"]) for name, seconds in imports.items()),
        image=_image(image, npm),
    )


def _image(image: Image | None, npm: tuple[float, int]) -> str:
    lines = [_row(["what", "seconds", "MB"]), _row(["---", "--:", "--:"])]
    if image:
        label = "`docker build --no-cache`, the base being there"
        without_base = f"{image.size_without_base / MEGA:.0f} on top of the base"
        sizes = f"{image.size / MEGA:.0f}, of which {without_base}"
        lines.append(_row([label, f"{image.seconds:.1f}", sizes]))
    seconds, size = npm
    lines.append(
        _row(["`npm ci` of octokit, from an empty cache", f"{seconds:.1f}", f"{size / MEGA:.0f}"])
    )
    return "\n".join(lines)


PAGE = """\
<!-- Written by `make bench`. -->
# Benchmarks

`make bench` measures redeliver and [the script in GitHub's documentation][docs] side by side, on
one machine and against one simulated GitHub (`github_sandbox`) that takes {latency} ms for each
answer. The script is `bench/script/script.js`: the requests of the original in their order, with
`octokit` as it comes, which sends one write a second. The seconds are those of a machine with
{cores} cores and Python {python}, on {day}; **the ratios are what to go by**. Medians.

- **seconds**: from the start of the process to its end, with all imports.
- **times the floor**: the floor is the start of our process and one round trip after the other: for
  the variable, for each page that has to be read, for saving the checkpoint before and after the
  redeliveries, and for the redeliveries {workers} at a time; and the minutes that one has to wait
  where only so many redeliveries are allowed.
- **points**: GitHub grants 900 in a minute; a read costs 1, a redelivery 5. We stop at {margin}.

`verify` is 0 unless said otherwise, for the script does not look what comes of its redeliveries.
The ids of the deliveries are small here, as they long were. An octokit of before March 2026, with
an @octokit/request before 10.0.8, rounds the nineteen digits of today's, and redelivers nothing.

{table}

A log that is read in full costs its pages, one after the other, and there the two are alike. The
{deliveries} deliveries are read without a limit: on github.com nobody may ask for that many
pages in an hour. Such a webhook is one for `scan: failures`, as long as little fails.

## How the cost grows

![Seconds of a run by deliveries and by failures](benchmarks.svg)

With the deliveries both grow by a round trip for each hundred. With the failures the script grows
by a second each, and redeliver by a round trip for {workers}.

## Where the processor's time goes

Microseconds for each delivery that is read, of {deliveries}:

| what | µs |
| --- | --: |
{cpu}

## The start

From the start of the process to its first request it takes {start} s (the median of all runs
above). What is imported takes, in seconds:

| what | s |
| --- | --: |
{imports}

PyGithub comes with requests and, for Apps, with cryptography; there is no part of it to leave out.
The command line's packages (click, rich) are not in the image and not imported by the action.

## The image

A Docker action is built at the start of each job that uses it, unless it names an image that was
built before. The script needs Node, which GitHub's runners have, and octokit.

{image}

[docs]: https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""
