"""`python -m bench [MILLISECONDS]`: measure, print the table, and write docs/benchmarks.md.

GitHub in miniature takes so many milliseconds longer for each answer, 50 unless told.
"""

import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import overhead, page, plot
from bench.cases import BY_DELIVERIES, BY_FAILURES, CASES, Case, Program
from bench.measure import Measured, measure
from bench.page import Result

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    """Measure everything."""
    latency = float(sys.argv[1] if len(sys.argv) > 1 else 50) / 1000
    cases = [*CASES, *BY_DELIVERIES, *BY_FAILURES]
    measured = _measure(cases, latency)
    results = {
        case: Result(case=case, latency=_latency(case, latency), runs=measured[case])
        for case in cases
    }
    plot.draw(
        DOCS / "benchmarks.svg",
        by_deliveries=[(case.deliveries, results[case]) for case in BY_DELIVERIES],
        by_failures=[(case.failures, results[case]) for case in BY_FAILURES],
    )
    text = page.written(
        [results[case] for case in CASES],
        latency=latency,
        cpu=overhead.cpu(),
        imports=overhead.imports(),
        image=overhead.image(),
        npm=overhead.npm_install(),
    )
    (DOCS / "benchmarks.md").write_text(text)
    print(page.table([results[case] for case in CASES]))


def _latency(case: Case, latency: float) -> float:
    return 0.0 if case.without_latency else latency


def _measure(
    cases: Iterable[Case], latency: float
) -> Mapping[Case, Mapping[Program, list[Measured]]]:
    """Measure one run after the other, the programs in turn; last and together those that wait."""
    measured: dict[Case, dict[Program, list[Measured]]] = {}
    together: list[tuple[Case, Program]] = []
    for case in cases:
        measured[case] = {program: [] for program in Program}
        runs = {Program.REDELIVER: case.runs, Program.SCRIPT: case.script_runs}
        for number in range(max(runs.values())):
            for program in Program:
                if number >= runs[program]:
                    continue
                if program in case.waiting:
                    together.append((case, program))
                    continue
                _tell(case, program)
                measured[case][program].append(measure(case, program, _latency(case, latency)))
    with ThreadPoolExecutor(max_workers=len(together) or 1) as pool:
        under_way = [
            (case, program, pool.submit(measure, case, program, _latency(case, latency)))
            for case, program in together
        ]
        for case, program, each in under_way:
            _tell(case, program)
            measured[case][program].append(each.result())
    return measured


def _tell(case: Case, program: Program) -> None:
    print(f"{program.value}: {case.name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
