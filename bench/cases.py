"""The benchmark cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from github_sandbox.model.rate_limits import WRITE_POINTS

PER_PAGE = 100
POINTS_PER_MINUTE = 900
"""GitHub's secondary rate limit. It allows 180 redeliveries a minute."""


class Program(Enum):
    """The programs that are compared."""

    REDELIVER = "redeliver"
    SCRIPT = "script"


QUICK = {"verify": "0"}
"""Inputs for a run that does not verify its redeliveries, as the script does not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A delivery log, GitHub's limits, and the inputs of redeliver. The script has no inputs.

    Cases are keys of dictionaries, so they compare by identity.
    """

    name: str
    deliveries: int
    """How many deliveries the log has since the checkpoint, including the failures."""
    failures: int = 0
    inputs: Mapping[str, str] = field(default_factory=lambda: QUICK)
    redeliveries_per_minute: int = 75
    """The stricter of GitHub's limit and `max-per-minute`. 0 means no limit."""
    rate_limits: bool = True
    points_per_minute: int | None = POINTS_PER_MINUTE
    runs: int = 3
    script_runs: int = 3
    waiting: frozenset[Program] = frozenset()
    """Programs that mostly wait, so that their runs can be measured at the same time."""
    without_latency: bool = False

    @property
    def needs_one_page(self) -> bool:
        """Whether redeliver reads failures only, and so finds on the first page that none exist."""
        return self.inputs.get("scan") == "failures" and not self.failures


UNLIMITED = QUICK | {"max-per-minute": "0"}

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
    Case(name="60 deliveries, none failed", deliveries=60, runs=5),
    Case(name="200,000 deliveries, none failed", deliveries=200_000, runs=1, script_runs=1),
    Case(
        name="the same with `scan: failures`",
        deliveries=200_000,
        inputs=QUICK | {"scan": "failures"},
        script_runs=0,
    ),
    Case(
        name="1,000 failed; Enterprise Server without rate limits, `max-per-minute: 0`",
        deliveries=1000,
        failures=1000,
        inputs=UNLIMITED,
        redeliveries_per_minute=0,
        rate_limits=False,
        points_per_minute=None,
        script_runs=1,
        waiting=frozenset({Program.SCRIPT}),
    ),
    Case(
        name="200 failed; default `max-per-minute`",
        deliveries=200,
        failures=200,
        runs=3,
        script_runs=1,
        waiting=frozenset(Program),
    ),
    Case(
        name="1,000 failed; `max-per-minute: 0`",
        deliveries=1000,
        failures=1000,
        inputs=UNLIMITED,
        redeliveries_per_minute=POINTS_PER_MINUTE // WRITE_POINTS,
        script_runs=1,
        waiting=frozenset(Program),
    ),
    Case(
        name="1,000,000 deliveries, none failed; no latency, no rate limits",
        deliveries=1_000_000,
        rate_limits=False,
        points_per_minute=None,
        runs=1,
        script_runs=1,
        without_latency=True,
    ),
)
