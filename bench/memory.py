"""Measure the memory and CPU time of a run: `python -m bench.memory` prints a table.

The simulated GitHub responds at once and has no rate limits, so that no run waits.
"""

from bench.cases import Case, Program
from bench.measure import measure

MIB = 1024**2
SIZES = (
    (100_000, 0),
    (100_000, 1000),
    (100_000, 10_000),
    (100_000, 50_000),
    (1_000_000, 100_000),
)
"""Deliveries that a run reads, and how many of these failed."""


def main() -> None:
    """Measure one run of each size."""
    print("| Deliveries read | Failed events | Memory at most | CPU time |")
    print("| ---: | ---: | ---: | ---: |")
    for deliveries, failures in SIZES:
        case = Case(
            name=f"{deliveries:,} deliveries, {failures:,} failed",
            deliveries=deliveries,
            failures=failures,
            redeliveries_per_minute=0,
            has_limits=False,
        )
        run = measure(case, Program.REDELIVER, latency=0)
        memory, cpu = round(run.memory / MIB), round(run.cpu, 1)
        print(f"| {deliveries:,} | {failures:,} | {memory} MiB | {cpu} s |", flush=True)


if __name__ == "__main__":
    main()
