"""The sentences of the page that depend on what was measured.

Pure: text from results.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import median

from bench.cases import PER_PAGE, Case, Program
from bench.jobs import Jobs
from bench.results import Result, process_time
from bench.table import milliseconds
from bench.times import format_seconds

BILLED = 60
"""GitHub bills a job of at most so many seconds as one minute."""


def few_failures(results: Sequence[Result]) -> str:
    """Return how much longer or shorter the script takes than redeliver if the log is short."""
    return " ".join(
        f"*{result.case.name}:* {_differences(result, Program.SCRIPT, 'the script took')}; "
        f"{_differences(result, Program.UNTHROTTLED, 'without that pause it took')}."
        for result in results
        if result.case.deliveries <= PER_PAGE and Program.SCRIPT in result.programs
    )


def quiet_run(result: Result) -> str:
    """Return which part of the script's time redeliver takes: the median of the pairs of runs."""
    parts = []
    for latency in result.latencies:
        ours = result.runs[Program.REDELIVER, latency]
        pairs = zip(ours, result.runs[Program.SCRIPT, latency], strict=True)
        share = median(one.seconds / other.seconds for one, other in pairs)
        parts.append(f"{share:.2f} of the script's time at {milliseconds(latency)}")
    pairs_of_each = len(result.runs[Program.REDELIVER, result.latencies[0]])
    return f"*{result.case.name}:* {' and '.join(parts)} (the median of {pairs_of_each} pairs)"


def _differences(result: Result, program: Program, subject: str) -> str:
    parts = []
    for latency in result.latencies:
        theirs = process_time(result, program, latency).seconds
        ours = process_time(result, Program.REDELIVER, latency).seconds
        parts.append(f"{_more(theirs - ours)} at {milliseconds(latency)}")
    return f"{subject} {' and '.join(parts)}"


def _more(seconds: Decimal) -> str:
    if not seconds:
        return "as long"
    return f"{abs(seconds)} s {'more' if seconds > 0 else 'less'}"


def several_at_once(results: Sequence[Result]) -> str:
    """Return how long the scripts of several webhooks would take at the same time."""
    for result in results:
        if result.case.webhooks > 1 and Program.SCRIPT in result.programs:
            latency = max(result.latencies)
            ours = result.times(Program.REDELIVER, latency).median
            parts = []
            for program in (Program.SCRIPT, Program.UNTHROTTLED):
                seconds = result.times(program, latency).median / result.case.webhooks
                than = "less" if seconds < ours else "not less"
                parts.append(
                    f"{format_seconds(seconds)} for {program.value} ({than} than redeliver takes)"
                )
            return f"At {milliseconds(latency)}, that is {' and '.join(parts)}."
    return ""


def longer_than_a_minute(results: Sequence[Result], jobs: Jobs) -> str:
    """Return the cases in which a whole job takes longer than a minute, and with which programs."""
    found: dict[Case, list[str]] = {}
    for result in results:
        for latency in result.latencies:
            names = "; ".join(_longer(result, latency, jobs))
            if names:
                at = f"at {milliseconds(latency)} ({names})"
                found.setdefault(result.case, []).append(at)
    return (
        ", ".join(f"*{case.name}* {' and '.join(each)}" for case, each in found.items()) or "none"
    )


def _longer(result: Result, latency: float, jobs: Jobs) -> Iterator[str]:
    for program in result.programs:
        is_longer = jobs.time(result, program, latency).seconds > BILLED
        if is_longer and not result.has_failed(program, latency):
            yield program.value


def refused(results: Sequence[Result]) -> str:
    """Return in how many runs GitHub refused a request because of rate limits."""
    numbers = {
        program.value: sum(
            run.limited > 0 for result in results for run in result.all_runs(program)
        )
        for program in (Program.REDELIVER, Program.SCRIPT)
    }
    if not any(numbers.values()):
        return (
            "In no run was a request of redeliver, or of the script with octokit's pause, refused."
        )
    parts = [f"{number} runs of {name}" for name, number in numbers.items() if number]
    return f"GitHub refused requests in {' and '.join(parts)}."


def cpu_share(results: Sequence[Result]) -> float:
    """Return the largest part of its time that a run used a core, of those that mostly waited."""
    shares = [
        run.cpu / run.seconds
        for result in results
        for (_, latency), runs in result.runs.items()
        if result.mostly_waits(latency)
        for run in runs
    ]
    return max(shares, default=0)
