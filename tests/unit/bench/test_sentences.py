"""The sentences of the benchmarks say what was measured, whichever program is faster."""

from collections.abc import Sequence
from dataclasses import replace

from bench.cases import Case, Program
from bench.jobs import Jobs
from bench.results import Result
from bench.sentences import (
    few_failures,
    longer_than_a_minute,
    quiet_run,
    refused,
    several_at_once,
)
from bench.times import Times
from tests.support.measured import RUN

LATENCIES = (0.05, 0.3)
SHORT = Case(name="A case", deliveries=60)


def result(
    ours: Sequence[float], script: Sequence[float], unthrottled: Sequence[float], case: Case = SHORT
) -> Result:
    """Return a result with one run at each latency."""
    programs = zip(Program, (ours, script, unthrottled), strict=True)
    return Result(
        case=case,
        runs={
            (program, latency): [replace(RUN, seconds=each)]
            for program, seconds in programs
            for latency, each in zip(LATENCIES, seconds, strict=True)
        },
    )


def test_a_short_log_shows_who_takes_longer_at_each_latency() -> None:
    short = result((0.44, 1.2), (0.4, 1.45), (0.44, 1.1))
    long = result((1, 1), (2, 2), (3, 3), Case(name="", deliveries=2000))

    assert few_failures([short, long]) == (
        "*A case:* the script took 0.04 s less at 50 ms and 0.25 s more at 300 ms; "
        "without that pause it took as long at 50 ms and 0.10 s less at 300 ms."
    )


def test_a_quiet_run_is_compared_pair_by_pair() -> None:
    """The medians alone would say 0.50: 0.2 of 0.4."""
    runs = {Program.REDELIVER: (0.1, 0.2, 0.4), Program.SCRIPT: (0.4, 0.2, 0.5)}
    measured = {
        (program, 0.05): [replace(RUN, seconds=each) for each in seconds]
        for program, seconds in runs.items()
    }

    assert quiet_run(Result(case=SHORT, runs=measured)) == (
        "*A case:* 0.80 of the script's time at 50 ms (the median of 3 pairs)"
    )


def test_ten_scripts_at_the_same_time_take_a_tenth() -> None:
    ten = result((2.7, 8.5), (37, 92.7), (16, 76.7), Case(name="", deliveries=60, webhooks=10))

    assert several_at_once([ten]) == (
        "At 300 ms, that is 9.27 s for the script (not less than redeliver takes) "
        "and 7.67 s for the script, unthrottled (less than redeliver takes)."
    )


def test_jobs_of_more_than_a_minute_are_named() -> None:
    """With 5 s of preparation for each, and 1 s for redeliver's container."""
    jobs = Jobs(build=Times([5]), install=Times([5]), container=Times([1]))
    measured = result((54.5, 55), (55, 80), (1, 2))

    longer = "*A case* at 50 ms (redeliver) and at 300 ms (redeliver; the script)"
    assert longer_than_a_minute([measured], jobs) == longer
    assert longer_than_a_minute([result((1, 1), (1, 1), (1, 1))], jobs) == "none"


def test_a_run_that_github_refused_a_request_is_counted() -> None:
    quiet = result((1, 1), (1, 1), (1, 1))
    limited = replace(RUN, limited=2)
    noisy = Result(case=quiet.case, runs={(Program.SCRIPT, 0.05): [limited, limited, RUN]})

    assert refused([quiet]).startswith("In no run was a request of redeliver")
    assert refused([quiet, noisy]) == "GitHub refused requests in 2 runs of the script."
