"""What is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from github_sandbox.model.rate_limits import WRITE_POINTS

PER_PAGE = 100
POINTS_PER_MINUTE = 900
"""What GitHub grants: 180 redeliveries."""


class Program(Enum):
    """Who does it."""

    REDELIVER = "redeliver"
    SCRIPT = "script"


QUICK = {"verify": "0"}
"""As the script does it, which does not look what comes of its redeliveries."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A log, a server, and the inputs; none of the script's, for it has none of these."""

    name: str
    deliveries: int
    """Since the checkpoint, the failures among them."""
    failures: int = 0
    inputs: Mapping[str, str] = field(default_factory=lambda: QUICK)
    per_minute: int = 75
    """How many redeliveries a minute are allowed, by us or by GitHub; 0: any number."""
    rate_limits: bool = True
    points_per_minute: int | None = POINTS_PER_MINUTE
    runs: int = 3
    script_runs: int = 3
    waiting: frozenset[Program] = frozenset()
    """Who mostly waits, so that it may be measured at the same time as others that do."""
    without_latency: bool = False

    @property
    def shows_failures_only(self) -> bool:
        """Whether the server is asked for no more of the log than its failures."""
        return self.inputs.get("scan") == "failures" and not self.failures


UNBOUND = QUICK | {"max-per-minute": "0"}

CASES = (
    Case(name="100 deliveries, 2 failed", deliveries=100, failures=2, runs=5),
    Case(name="2,000 deliveries, 32 failed", deliveries=2000, failures=32, runs=5),
    Case(
        name="the same with the default `verify`",
        deliveries=2000,
        failures=32,
        inputs={},
        script_runs=0,
    ),
    Case(name="20,000 deliveries, 32 failed", deliveries=20_000, failures=32),
    Case(name="quiet: 60 deliveries", deliveries=60, runs=5),
    Case(name="quiet but busy: 200,000 deliveries", deliveries=200_000, runs=1, script_runs=1),
    Case(
        name="the same with `scan: failures`",
        deliveries=200_000,
        inputs=QUICK | {"scan": "failures"},
        script_runs=0,
    ),
    Case(
        name="Enterprise Server without limits, `max-per-minute: 0`: 1,000 failed",
        deliveries=1000,
        failures=1000,
        inputs=UNBOUND,
        per_minute=0,
        rate_limits=False,
        points_per_minute=None,
        script_runs=1,
        waiting=frozenset({Program.SCRIPT}),
    ),
    Case(
        name="a burst: 200 failed",
        deliveries=200,
        failures=200,
        runs=3,
        script_runs=1,
        waiting=frozenset(Program),
    ),
    Case(
        name="GitHub's 900 points a minute, `max-per-minute: 0`: 1,000 failed",
        deliveries=1000,
        failures=1000,
        inputs=UNBOUND,
        per_minute=POINTS_PER_MINUTE // WRITE_POINTS,
        script_runs=1,
        waiting=frozenset(Program),
    ),
    Case(
        name="memory: 1,000,000 deliveries, none failed, no latency, no limits",
        deliveries=1_000_000,
        rate_limits=False,
        points_per_minute=None,
        runs=1,
        script_runs=1,
        without_latency=True,
    ),
)

BY_DELIVERIES = tuple(
    Case(name=f"{count:,} deliveries", deliveries=count, failures=8, script_runs=1)
    for count in (100, 2500, 5000, 10_000, 20_000)
)
BY_FAILURES = tuple(
    Case(name=f"{count} failed", deliveries=2000, failures=count, script_runs=1)
    for count in (0, 16, 32, 48, 64)
)
