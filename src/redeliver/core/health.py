"""How well a webhook's receiver works, as a value: a verdict, and the numbers behind it.

Only first deliveries count. A redelivery often fails because of its event, so a failed one says
little about the receiver; one that succeeds ends an outage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus

from redeliver.core.delivery import Delivery

REJECTION_CODES = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class HealthVerdict(Enum):
    """How well a receiver works, in a word; the worst comes first."""

    DOWN = "down"
    FAILING = "failing"
    SLOW = "slow"
    SILENT = "silent"
    HEALTHY = "healthy"

    @classmethod
    def worst(cls, verdicts: Iterable["HealthVerdict"]) -> "HealthVerdict | None":
        """Return the worst of some verdicts; None if there is none."""
        known = set(verdicts)
        return next((verdict for verdict in cls if verdict in known), None)


class FailureKind(Enum):
    """Why a delivery failed. The values are their names in JSON."""

    NO_CONNECTION = "no_connection"
    TIMEOUT = "timeout"
    REJECTED = "rejected"
    """401, 403 or 404: mostly the receiver expects another secret, or another path."""
    ERROR = "error"
    """Another status code."""

    @classmethod
    def of(cls, delivery: Delivery) -> "FailureKind":
        """Tell from GitHub's status text, because a receiver can respond with 502 and 504, too."""
        status, code = delivery.status, delivery.status_code
        if code in REJECTION_CODES:
            return cls.REJECTED
        if status.startswith("Invalid HTTP Response"):
            return cls.ERROR
        if code == HTTPStatus.GATEWAY_TIMEOUT or "timed out" in status:
            return cls.TIMEOUT
        # GitHub writes 500 with the error of its HTTP client, such as "giving up after 1 attempt".
        if code in {0, HTTPStatus.BAD_GATEWAY} or "connect" in status or "giving up" in status:
            return cls.NO_CONNECTION
        return cls.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """How many deliveries succeeded and failed over time, in steps of the same length."""

    start: datetime
    step: timedelta
    delivered: Sequence[int]
    failed: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How well the receiver of a webhook works. Numbers are of the window of a run."""

    verdict: HealthVerdict
    unless_down: HealthVerdict
    """The verdict if the receiver is not down, or not any more."""
    deliveries: int
    failed: int
    failures: Mapping[FailureKind, int]
    """How many failed for which reason, the most frequent first."""
    responses: int
    """How many deliveries reached the receiver, as far as GitHub tells how long they took."""
    slow: int
    """How many of these took almost as long as GitHub waits (`health_counter.SLOW_FROM`)."""
    p95: float | None
    """The 95th percentile of durations, in seconds, rounded up; None without responses."""
    throttled: int
    """How many deliveries GitHub has throttled."""
    last_success: datetime | None
    """Also from before the window, as far as the log was read."""
    last_failure: datetime | None
    """Likewise."""
    down_since: datetime | None
    """The first failure after the last success that was read; None if not down."""
    in_a_row: int
    """How many deliveries have failed since the last success."""
    timeline: Timeline

    def after_success(self, at: datetime) -> "Health":
        """Return the health now that a redelivery has succeeded, so that the receiver is not down.

        Other numbers stay as they are, because only first deliveries count.
        """
        return replace(self, verdict=self.unless_down, down_since=None, in_a_row=0, last_success=at)

    @property
    def failure_rate(self) -> float | None:
        """The share of failed deliveries; None if there are no deliveries."""
        return self.failed / self.deliveries if self.deliveries else None

    @property
    def slow_share(self) -> float | None:
        """The share of slow responses; None if there are no responses."""
        return self.slow / self.responses if self.responses else None
