"""`make bench`: run all benchmarks, print the table, and write docs/benchmarks.md.

`python -m bench --help` says how to run a part of them, which writes no page.
"""

import argparse
from pathlib import Path

from bench.cases import CASES
from bench.figures import measure_figures
from bench.page import render
from bench.preparation import has_docker
from bench.table import results_table

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run the benchmarks."""
    arguments = _arguments()
    if not has_docker():
        raise SystemExit("bench: 'docker info' fails: start Docker, then run this again")
    cases = [case for case in CASES if arguments.only in case.name]
    latencies = [milliseconds / 1000 for milliseconds in arguments.latencies]
    figures = measure_figures(cases, latencies, most_runs=arguments.runs)
    if not arguments.only:
        PAGE.write_text(render(figures), encoding="utf-8")
    print(results_table(figures.results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run the benchmarks.")
    parser.add_argument(
        "latencies",
        nargs="*",
        type=float,
        default=[50, 300],
        metavar="MILLISECONDS",
        help="after how long the simulated GitHub responds (default: 50 and 300)",
    )
    parser.add_argument(
        "--runs", type=int, metavar="NUMBER", help="run nothing more often than this"
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="run only cases with this text in their names, and write no page",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
