"""The tables of the benchmarks say how often each figure was measured, and what failed."""

from dataclasses import replace

from bench.cases import CASES, QUICK, Case, Program
from bench.jobs import Jobs
from bench.measure import Measured
from bench.results import Result, process_time, where_slower
from bench.start import Start
from bench.table import before_and_now, job_table, results_table, slower_list
from bench.times import Times
from tests.support.measured import RUN

CASE = Case(name="60 deliveries", deliveries=60)
OURS, SCRIPT = Program.REDELIVER, Program.SCRIPT


def runs(*seconds: float) -> list[Measured]:
    return [replace(RUN, seconds=each) for each in seconds]


def result(*ours: Measured, case: Case = CASE, script: list[Measured] | None = None) -> Result:
    measured = {(OURS, 0.05): list(ours)}
    if script:
        measured[SCRIPT, 0.05] = script
    return Result(case=case, runs=measured)


def test_a_row_has_the_median_and_the_spread_of_its_runs() -> None:
    table = results_table([result(*runs(0.5, 14.04, 0.75))])

    assert table.splitlines()[2:] == [
        "| 60 deliveries | redeliver | 0.75 s (0.50 to 14.0; 3 runs) | 3 | 7 | 48 |",
        "|  | *least at redeliver's limits* | 0.10 s, latency |  |  |  |",
    ]


def test_a_single_run_is_called_one_run() -> None:
    assert "| 630 s (one run) |" in results_table([result(*runs(629.6))])


def test_numbers_of_requests_that_differ_have_both_ends() -> None:
    several = [replace(RUN, requests=requests) for requests in (1003, 3, 58)]

    assert "| 3 to 1,003 | 7 | 48 |" in results_table([result(*several)])


def test_a_run_that_failed_says_how_far_it_came() -> None:
    failed = replace(RUN, seconds=9, failed=True, redelivered=178)
    case = Case(name="200 deliveries, all failed", deliveries=200, failures=200)

    table = results_table([result(RUN, case=case, script=[failed])])

    assert "| the script | fails after 9.00 s (one run), with 178 redelivered |" in table


def test_a_failed_run_with_nothing_to_redeliver_says_only_that() -> None:
    failed = replace(RUN, seconds=9, failed=True)

    table = results_table([result(RUN, script=[failed])])

    assert "| the script | fails after 9.00 s (one run) |" in table


def test_latencies_are_apart_if_a_program_failed_at_one() -> None:
    """It then did not do the same at both."""
    failed = replace(RUN, failed=True, requests=901, points=902)
    whole = replace(RUN, requests=1002, points=1006)
    measured = {(OURS, 0.05): [failed], (OURS, 0.3): [whole]}

    table = results_table([Result(case=CASE, runs=measured)])

    assert "| 901 at 50 ms; 1,002 at 300 ms | 902 at 50 ms; 1,006 at 300 ms |" in table


def test_a_case_that_verifies_has_no_least_time() -> None:
    """When the outcomes show is up to GitHub and the receivers."""
    verifying = Case(name="", deliveries=60, inputs={})

    assert "least" not in results_table([result(RUN, case=verifying)])


def test_a_case_in_which_redeliver_is_slower_is_listed() -> None:
    results = [
        result(*runs(0.604, 0.65, 0.6), script=runs(0.5, 0.496, 0.49)),
        result(*runs(0.604, 0.65, 0.6), script=runs(0.7, 0.61, 0.61)),
    ]

    slower = where_slower(results, process_time)

    assert slower_list(slower) == "- 60 deliveries, at 50 ms: the script, by 0.10 s"
    assert slower_list(where_slower(results[1:], process_time)) == "In none of the cases."


def test_a_difference_within_the_spread_is_not_listed() -> None:
    """Redeliver took 0.10 s longer, by the medians; the script's runs are 0.11 s apart."""
    apart = result(*runs(0.6), script=runs(0.5, 0.5, 0.61))

    assert where_slower([apart], process_time) == []


def test_a_program_that_failed_was_not_faster() -> None:
    failed = replace(RUN, seconds=0.1, failed=True)

    assert where_slower([result(RUN, script=[failed])], process_time) == []


JOBS = Jobs(build=Times([4.5]), install=Times([3]), container=Times([0.75]))


def test_the_whole_job_has_preparation_container_and_run() -> None:
    table = job_table([result(RUN, script=[RUN])], JOBS)

    assert table.splitlines()[2:] == [
        "| 60 deliveries | redeliver | 5.75 s |",
        "|  | the script | 3.50 s |",
    ]


def test_a_slower_job_is_listed_if_its_parts_vary_less() -> None:
    varying = replace(JOBS, build=Times([4, 4.5, 6.5]))
    measured = [result(RUN, script=[RUN])]

    listed = slower_list(where_slower(measured, JOBS.time))

    assert listed == "- 60 deliveries, at 50 ms: the script, by 2.25 s"
    assert where_slower(measured, varying.time) == []


def test_no_case_needs_what_the_script_cannot_do() -> None:
    """The script does not verify, has no `scan`, and is compared only where it does the same."""
    compared = [case for case in CASES if SCRIPT in case.programs]

    assert all(case.inputs == QUICK for case in compared)


def test_the_start_is_shown_before_and_now() -> None:
    before = Start(size=30_000_000, modules=674, requests_of_app=3, times=Times([0.24]))
    now = Start(size=20_000_000, modules=429, requests_of_app=2, times=Times([0.16]))

    assert before_and_now(before, now).splitlines() == [
        "|  | before | now |",
        "| --- | --- | --- |",
        "| image, without its base | 30.0 MB | 20.0 MB |",
        "| Python modules loaded | 674 | 429 |",
        "| an App's requests before the first page | 3 | 2 |",
        "| from the start to the first request | 0.24 s (one run) | 0.16 s (one run) |",
    ]
