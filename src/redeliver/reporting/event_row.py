"""A failed event as the log, the summary, the terminal and the JSON report show it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from redeliver.core.delivery import Delivery, Webhook
from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting.format import age, utc
from redeliver.sanitize import quote_untrusted


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One failed event; texts that came from GitHub are safe to print."""

    webhook: Webhook
    guid: str
    delivery: str
    """The id of the newest attempt, as text, because JavaScript would round it."""
    event: str
    action: str
    """Empty for an event without an action."""
    repository_id: str | None
    failing_since: datetime
    failing_for: str
    attempts: int
    at_least: str
    """"at least " before a time span or a number if not all attempts are known; else empty."""
    status: str
    status_code: int
    outcome: Outcome
    outcome_text: str
    because: str
    may_have_been_requested: bool
    """Whether an earlier run may have requested a redelivery of which the log has no trace."""
    was_delivered: bool
    """Whether an attempt had succeeded before the run."""

    @classmethod
    def of(cls, result: EventResult, *, now: datetime, dry_run: bool) -> Self:
        """Return the row for a result, with ages as of `now`."""
        latest, failing_since = result.latest, result.decision.failing_since
        word = result.outcome.for_users.value
        until = result.decision.waits_until if result.outcome is Outcome.WAITING else None
        would = dry_run and result.outcome.for_users in {Outcome.GIVEN_UP, Outcome.DEFERRED}
        return cls(
            webhook=result.decision.webhook,
            guid=quote_untrusted(latest.guid),
            delivery=str(latest.id),
            event=quote_untrusted(latest.event),
            action=quote_untrusted(latest.action) if latest.action else "",
            repository_id=str(latest.repository_id) if latest.repository_id else None,
            failing_since=failing_since,
            failing_for=age(now - failing_since),
            attempts=result.attempts,
            at_least="" if result.decision.has_all_attempts else "at least ",
            status=_status(latest),
            status_code=latest.status_code,
            outcome=result.outcome,
            outcome_text=f"would be {word}" if would else word,
            because=f"{result.because} until {utc(until)}" if until else result.because,
            may_have_been_requested=result.decision.may_have_been_requested,
            was_delivered=result.decision.was_delivered,
        )

    @property
    def name(self) -> str:
        """The event with its action, as in `issues.opened`."""
        return f"{self.event}.{self.action}" if self.action else self.event

    @property
    def cells(self) -> Mapping[str, str]:
        """The cells of a table, by their columns."""
        failing_for = f"{self.at_least}{self.failing_for}"
        if self.was_delivered:
            failing_for = "delivered before"
        return {
            "Event": self.name,
            "GUID": self.guid,
            "Failing for": failing_for,
            "Attempts": f"{self.at_least}{self.attempts}",
            "Last status": self.status,
            "Outcome": self.outcome_text,
            "Webhook": str(self.webhook.id),
        }


def _status(delivery: Delivery) -> str:
    """Return the code with GitHub's text, unless that says no more than the code."""
    code = str(delivery.status_code)
    if delivery.status in {"", f"Invalid HTTP Response: {code}"}:
        return code
    text = quote_untrusted(delivery.status)
    return text if code in re.findall(r"\d+", text) else f"{code} {text}"
