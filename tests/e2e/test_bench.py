"""The benchmarks run, so that their page can be written at any time. No test looks at a time."""

from bench.cases import Case, Program
from bench.figures import measure_figures
from bench.measure import measure
from bench.page import render

SMALL = Case(
    name="2 webhooks, each with 150 deliveries, 3 failed",
    deliveries=150,
    failures=3,
    webhooks=2,
    is_job=True,
)


def table_rows(page: str) -> list[list[str]]:
    """Return the cells of all tables of a page."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_small_case_fills_the_page_of_the_benchmarks() -> None:
    """It runs redeliver in its image, and the script with and without octokit's pause."""
    figures = measure_figures([SMALL], [0.0], most_runs=1)

    [result] = figures.results
    assert result.programs == list(Program)
    assert [
        (run.redelivered, run.limited) for program in Program for run in result.all_runs(program)
    ] == [(6, 0)] * 3
    # For each webhook two pages, three redeliveries, and a variable that is read and written.
    assert [run.requests for run in result.all_runs(Program.SCRIPT)] == [2 * (2 + 3 + 2)]
    rows = table_rows(render(figures))
    assert [row[0] for row in rows].count(SMALL.name) == 2  # the run, and the whole job
    measured = [row for row in rows if any("(one run)" in cell for cell in row[2:])]
    *results, start = measured
    assert [row[1] for row in results] == [program.value for program in Program]
    assert start[0] == "from the start to the first request"


def test_the_script_without_pause_meets_githubs_limit() -> None:
    """As the page says, it ends with an error. GitHub allows 900 points a minute."""
    case = Case(name="200 failed", deliveries=200, failures=200)

    run = measure(case, Program.UNTHROTTLED, latency=0)

    assert run.failed
    assert run.limited == 1
    assert run.redelivered == (900 - 4) // 5
