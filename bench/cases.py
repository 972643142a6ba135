"""The benchmark cases, and the programs that are compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from redeliver.settings import INPUTS

PER_PAGE = 100
"""Deliveries on a page of the log."""
PER_MINUTE = int(INPUTS["max-per-minute"].default)


class Program(Enum):
    """The programs that are compared."""

    REDELIVER = "redeliver"
    SCRIPT = "the script"
    UNTHROTTLED = "the script, unthrottled"


QUICK = {"verify": "0"}
"""Inputs for a run that does not verify its redeliveries, as the script does not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """Delivery logs, GitHub's limits, and the inputs of redeliver. The script has no inputs.

    Cases are keys of dictionaries, so they compare by identity.
    """

    name: str
    deliveries: int
    """How many deliveries each webhook's log has since the checkpoint, including the failures."""
    failures: int = 0
    """How many of these failed."""
    webhooks: int = 1
    inputs: Mapping[str, str] = field(default_factory=lambda: QUICK)
    redeliveries_per_minute: int = PER_MINUTE
    """`max-per-minute`. 0 means no limit but GitHub's points."""
    has_limits: bool = True
    """Whether GitHub has rate limits."""
    programs: tuple[Program, ...] = tuple(Program)
    runs: int = 3
    is_job: bool = False
    """Whether the page also shows how long the whole job takes."""

    @classmethod
    def for_redeliver(
        cls, name: str, *, deliveries: int, failures: int = 0, inputs: Mapping[str, str]
    ) -> Self:
        """Return a case that the script has no counterpart to."""
        return cls(
            name=name,
            deliveries=deliveries,
            failures=failures,
            inputs=inputs,
            programs=(Program.REDELIVER,),
        )

    @property
    def all_failures(self) -> int:
        """How many deliveries of all webhooks failed."""
        return self.failures * self.webhooks

    @property
    def verifies(self) -> bool:
        """Whether redeliver looks at the outcomes of its redeliveries."""
        return self.inputs.get("verify") != "0"

    @property
    def pages(self) -> int:
        """How many pages of each log have to be read, up to one with a delivery that is older.

        If the last page with new deliveries is full, only the next page shows that there are no
        more.
        """
        if self.inputs.get("scan") == "failures" and not self.failures:
            return 1
        return self.deliveries // PER_PAGE + 1


CASES = (
    Case(name="60 deliveries, none failed", deliveries=60, runs=15, is_job=True),
    Case(name="100 deliveries, 2 failed", deliveries=100, failures=2, runs=15, is_job=True),
    Case(name="2,000 deliveries, 32 failed", deliveries=2000, failures=32, is_job=True),
    Case.for_redeliver(
        "2,000 deliveries, 32 failed; default `verify`", deliveries=2000, failures=32, inputs={}
    ),
    Case(name="20,000 deliveries, 32 failed", deliveries=20_000, failures=32),
    Case(
        name="10 webhooks, each with 2,000 deliveries, 2 failed",
        deliveries=2000,
        failures=2,
        webhooks=10,
    ),
    Case(name="200 deliveries, all failed", deliveries=200, failures=200),
    Case(name="100,000 deliveries, none failed", deliveries=100_000),
    Case.for_redeliver(
        "100,000 deliveries, none failed; `scan: failures`",
        deliveries=100_000,
        inputs=QUICK | {"scan": "failures"},
    ),
)
