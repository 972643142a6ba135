"""The tables of the page, in Markdown.

Pure: text from results.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from bench.cases import Program
from bench.measure import Measured
from bench.preparation import Preparation
from bench.results import Result, Slower

MEGA = 1e6


def results_table(results: Sequence[Result]) -> str:
    """Return the runs of all cases: for each case a row of each program, and one of the minimum."""
    latencies = list(dict.fromkeys(each for result in results for each in result.latencies))
    head = ["case", "program", *map(milliseconds, latencies), "requests", "points", "memory, MB"]
    lines = [row(head), row(["---", "---", *["---"] * len(latencies), "--:", "--:", "--:"])]
    for result in results:
        for program in result.programs:
            runs = result.all_runs(program)
            lines.append(
                row(
                    [
                        result.case.name if program is result.programs[0] else "",
                        program.value,
                        *(_seconds_cell(result, program, latency) for latency in latencies),
                        _range(run.requests for run in runs),
                        _range(run.points for run in runs),
                        f"{median(run.memory for run in runs) / MEGA:.0f}",
                    ]
                )
            )
        if not result.case.verifies:
            shortest = [result.minimum(latency) for latency in latencies]
            cells = [f"{format_seconds(each.seconds)}, {each.limit}" for each in shortest]
            lines.append(row(["", "*shortest possible*", *cells, "", "", ""]))
    return "\n".join(lines)


def job_table(results: Iterable[Result], image: Preparation, octokit: Preparation) -> str:
    """Return the time of the whole job: preparation, container and run, by case and latency."""
    lines: list[str] = []
    for result in results:
        if not lines:
            head = [milliseconds(latency) for latency in result.latencies]
            lines += [row(["case", "program", *head]), row(["---", "---", *["--:"] * len(head)])]
        for program in result.programs:
            preparation = image if program is Program.REDELIVER else octokit
            times = [
                preparation.seconds
                + median(run.with_container for run in result.runs[program, latency])
                for latency in result.latencies
            ]
            name = result.case.name if program is result.programs[0] else ""
            lines.append(row([name, program.value, *map(format_seconds, times)]))
    return "\n".join(lines)


def slower_list(slower: Sequence[Slower]) -> str:
    """Return a list of the cases in which redeliver is slower."""
    if not slower:
        return "In none of the cases."
    return "\n".join(
        f"- {each.case.name}, at {milliseconds(each.latency)}: {each.program.value}, "
        f"by {format_seconds(each.by)}"
        for each in slower
    )


def row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def milliseconds(latency: float) -> str:
    """Return a latency as text."""
    return f"{latency * 1000:.0f} ms"


def format_seconds(seconds: float) -> str:
    """Return a time with two to four digits."""
    return f"{_digits(seconds)} s"


def _digits(seconds: float) -> str:
    decimals = 2 if seconds < 10 else 1 if seconds < 100 else 0  # noqa: PLR2004 - three digits
    return f"{seconds:.{decimals}f}"


def _seconds_cell(result: Result, program: Program, latency: float) -> str:
    runs = result.runs[program, latency]
    seconds = result.seconds(program, latency)
    text = f"{format_seconds(result.median(program, latency))} ({_spread(seconds)})"
    return _failure(runs, text) if any(run.failed for run in runs) else text


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) == 1:
        return "one run"
    return f"{_digits(min(seconds))} to {_digits(max(seconds))}; {len(seconds)} runs"


def _range(numbers: Iterable[int]) -> str:
    in_order = sorted(set(numbers))
    ends = in_order if len(in_order) == 1 else [in_order[0], in_order[-1]]
    return " to ".join(f"{number:,}" for number in ends)


def _failure(runs: Sequence[Measured], text: str) -> str:
    redelivered = median(run.redelivered for run in runs)
    return f"fails after {text}, with {redelivered:.0f} redelivered"
