"""`python -m bench [MILLISECONDS]`: run all benchmarks, print a table, write docs/benchmarks.md.

The simulated GitHub delays each response by MILLISECONDS (default 50).
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import overhead, page
from bench.cases import CASES, Case, Program
from bench.measure import Measured, measure
from bench.page import Result

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    """Run all benchmarks."""
    latency = float(sys.argv[1] if len(sys.argv) > 1 else 50) / 1000
    measured = _measure(CASES, latency)
    results = [
        Result(case=case, latency=_latency(case, latency), runs=measured[case]) for case in CASES
    ]
    text = page.render(
        results,
        latency=latency,
        cpu=overhead.cpu(),
        imports=overhead.imports(),
        image=overhead.image(),
        npm=overhead.npm_install(),
    )
    (DOCS / "benchmarks.md").write_text(text)
    print(page.table(results))


def _latency(case: Case, latency: float) -> float:
    return 0.0 if case.without_latency else latency


def _measure(
    cases: Iterable[Case], latency: float
) -> Mapping[Case, Mapping[Program, list[Measured]]]:
    """Measure the runs one after the other, and afterwards those that mostly wait, all at once."""
    measured: dict[Case, dict[Program, list[Measured]]] = {}
    waiting: list[tuple[Case, Program]] = []
    for case in cases:
        measured[case] = {program: [] for program in Program}
        for program in _runs(case):
            if program in case.waiting:
                waiting.append((case, program))
            else:
                _show_progress(case, program)
                measured[case][program].append(measure(case, program, _latency(case, latency)))
    with ThreadPoolExecutor(max_workers=len(waiting) or 1) as pool:
        futures = [
            (case, program, pool.submit(measure, case, program, _latency(case, latency)))
            for case, program in waiting
        ]
        for case, program, future in futures:
            _show_progress(case, program)
            measured[case][program].append(future.result())
    return measured


def _runs(case: Case) -> Iterator[Program]:
    """Yield the program of each run. The programs take turns."""
    for number in range(max(case.runs, case.script_runs)):
        if number < case.runs:
            yield Program.REDELIVER
        if number < case.script_runs:
            yield Program.SCRIPT


def _show_progress(case: Case, program: Program) -> None:
    print(f"{program.value}: {case.name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
