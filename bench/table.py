"""The tables and lists of the page, in Markdown.

Pure: text from results.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from bench.cases import Program
from bench.jobs import Jobs
from bench.measure import Measured
from bench.results import Result, Slower
from bench.start import Start
from bench.times import Times, format_seconds

MEGA = 1e6


def results_table(results: Sequence[Result]) -> str:
    """Return the runs of all cases: for each case a row of each program, and the least time."""
    latencies = list(dict.fromkeys(each for result in results for each in result.latencies))
    head = ["case", "program", *map(milliseconds, latencies), "requests", "points", "memory, MB"]
    lines = [row(head), row(["---", "---", *["---"] * len(latencies), "--:", "--:", "--:"])]
    for result in results:
        for program in result.programs:
            memory = median(run.memory for run in result.all_runs(program))
            lines.append(
                row(
                    [
                        result.case.name if program is result.programs[0] else "",
                        program.value,
                        *(_seconds_cell(result, program, latency) for latency in latencies),
                        _counts_cell(result, program, "requests"),
                        _counts_cell(result, program, "points"),
                        f"{memory / MEGA:.0f}",
                    ]
                )
            )
        if not result.case.verifies:
            least = [result.minimum(latency) for latency in latencies]
            cells = [f"{format_seconds(each.seconds)}, {each.limit}" for each in least]
            lines.append(row(["", "*least at redeliver's limits*", *cells, "", "", ""]))
    return "\n".join(lines)


def job_table(results: Iterable[Result], jobs: Jobs) -> str:
    """Return the time of the whole job by case and latency."""
    lines: list[str] = []
    for result in results:
        if not lines:
            head = [milliseconds(latency) for latency in result.latencies]
            lines += [row(["case", "program", *head]), row(["---", "---", *["--:"] * len(head)])]
        for program in result.programs:
            times = [jobs.time(result, program, latency) for latency in result.latencies]
            name = result.case.name if program is result.programs[0] else ""
            lines.append(row([name, program.value, *(f"{each.seconds} s" for each in times)]))
    return "\n".join(lines)


def slower_list(slower: Sequence[Slower]) -> str:
    """Return a list of the cases in which redeliver is slower."""
    if not slower:
        return "In none of the cases."
    lines = []
    for each in slower:
        programs = "; ".join(f"{program.value}, by {by} s" for program, by in each.by.items())
        lines.append(f"- {each.case.name}, at {milliseconds(each.latency)}: {programs}")
    return "\n".join(lines)


def starts_table(starts: Mapping[str, Times]) -> str:
    """Return how long programs take to start."""
    lines = [row(["imported", "time"]), row(["---", "---"])]
    return "\n".join([*lines, *(row([name, str(times)]) for name, times in starts.items())])


def before_and_now(before: Start, now: Start) -> str:
    """Return the start of redeliver at an earlier commit and now."""
    lines = [row(["", "before", "now"]), row(["---", "---", "---"])]
    cells = {
        "image, without its base": [f"{each.size / MEGA:.1f} MB" for each in (before, now)],
        "Python modules loaded": [str(each.modules) for each in (before, now)],
        "an App's requests before the first page": [
            str(each.requests_of_app) for each in (before, now)
        ],
        "from the start to the first request": [str(each.times) for each in (before, now)],
    }
    return "\n".join([*lines, *(row([name, *texts]) for name, texts in cells.items())])


def row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def milliseconds(latency: float) -> str:
    """Return a latency as text."""
    return f"{latency * 1000:.0f} ms"


def _seconds_cell(result: Result, program: Program, latency: float) -> str:
    text = str(result.times(program, latency))
    if not result.has_failed(program, latency):
        return text
    if result.case.all_failures:
        redelivered = median(run.redelivered for run in result.runs[program, latency])
        text += f", with {redelivered:.0f} redelivered"
    return f"fails after {text}"


def _counts_cell(result: Result, program: Program, name: str) -> str:
    """Return how many requests or points a program took.

    If it failed at one latency only, show each latency, because the program did not do the same.
    """
    if len({result.has_failed(program, latency) for latency in result.latencies}) == 1:
        return _range(result.all_runs(program), name)
    return "; ".join(
        f"{_range(result.runs[program, latency], name)} at {milliseconds(latency)}"
        for latency in result.latencies
    )


def _range(runs: Iterable[Measured], name: str) -> str:
    in_order = sorted({getattr(run, name) for run in runs})
    ends = in_order if len(in_order) == 1 else [in_order[0], in_order[-1]]
    return " to ".join(f"{number:,}" for number in ends)
