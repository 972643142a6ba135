"""A run that the benchmarks have measured; a test replaces what it is about."""

from bench.measure import Measured

RUN = Measured(
    seconds=0.5,
    with_container=1.25,
    start=0.25,
    cpu=0.4,
    memory=48_000_000,
    requests=3,
    points=7,
    limited=0,
    redelivered=0,
    failed=False,
)
