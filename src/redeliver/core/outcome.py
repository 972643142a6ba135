"""What became of each event in this run."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from redeliver.core.decision import Decision, EventKey, Verdict
from redeliver.core.delivery import Delivery, Webhook
from redeliver.core.policy import Policy
from redeliver.core.scan import ScanResult


class Outcome(Enum):
    """What became of an event in this run. `for_users.value` is the word that users read.

    An event to redeliver is DEFERRED until its redelivery is requested, so that an interrupted run
    reports it correctly. In a dry run it is DUE instead.
    """

    RECOVERED = "recovered"
    STILL_FAILING = "still failing"
    PENDING = "pending"
    DUE = "would be redelivered"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNANSWERED = "no response"
    UNREAD = "log not read"
    UNSETTLED = "earlier run under way"
    WAITING = "waiting"
    GIVEN_UP = "given up"
    DELIVERED = "delivered by another attempt"
    FILTERED = "filtered out"

    @property
    def for_users(self) -> "Outcome":
        """The outcome as users see it, for whom all kinds of deferred events are one."""
        return Outcome.DEFERRED if self in DEFERRED_KINDS else self

    @property
    def dealt_with(self) -> bool:
        """Whether no later run needs to look at this failure again.

        STILL_FAILING counts as dealt with, because a redelivery that fails is a new failure, which
        belongs to the next run. (With `scan: failures`, that run finds it only if its status code
        is from 400 to 599.) PENDING does not: GitHub may never make a redelivery that it accepted.
        """
        return self in DEALT_WITH


DEFERRED_KINDS = frozenset(
    {Outcome.DEFERRED, Outcome.UNANSWERED, Outcome.UNREAD, Outcome.UNSETTLED, Outcome.WAITING}
)
"""The outcomes that users see as deferred: the next run looks at these events again."""

ACCEPTED = frozenset({Outcome.RECOVERED, Outcome.STILL_FAILING, Outcome.PENDING})
"""The outcomes of events whose redelivery GitHub accepted."""

OUTCOME_UNKNOWN = frozenset({Outcome.PENDING, Outcome.UNANSWERED})
"""The outcomes of redeliveries that GitHub may have accepted, and whose result is unknown."""

DEALT_WITH = frozenset(
    {
        Outcome.RECOVERED,
        Outcome.STILL_FAILING,
        Outcome.GIVEN_UP,
        Outcome.DELIVERED,
        Outcome.FILTERED,
    }
)

NOT_REACHED = "this run requested no more redeliveries to this webhook"
RATE_LIMITED = "GitHub is rate limiting requests"
TOOK_TOO_LONG = "this run has waited for GitHub for as long as it may"
DENIED = "GitHub denied the request; the error at the end says why"

STOP_REASONS = frozenset({NOT_REACHED, RATE_LIMITED, TOOK_TOO_LONG, DENIED})
"""Why events are deferred when redeliveries were stopped, of one webhook or of all.

The report also has what stopped them: an error, a rate limit or a signal.
"""

OUTCOME_OF_VERDICT = {
    Verdict.DELIVERED: Outcome.DELIVERED,
    Verdict.UNWANTED_EVENT: Outcome.FILTERED,
    Verdict.UNWANTED_REPOSITORY: Outcome.FILTERED,
    Verdict.UNWANTED_STATUS: Outcome.FILTERED,
    Verdict.EXPIRED: Outcome.GIVEN_UP,
    Verdict.TOO_OLD: Outcome.GIVEN_UP,
    Verdict.EXHAUSTED: Outcome.GIVEN_UP,
    Verdict.UNREAD: Outcome.UNREAD,
    Verdict.LAST_UNDER_WAY: Outcome.DEFERRED,
    Verdict.SWITCHED_OFF: Outcome.DEFERRED,
    Verdict.UNSETTLED: Outcome.UNSETTLED,
    Verdict.HELD: Outcome.UNSETTLED,
    Verdict.WAITING: Outcome.WAITING,
    Verdict.SURPLUS: Outcome.DEFERRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What became of one event; `because` says why when that is not obvious."""

    decision: Decision
    outcome: Outcome
    because: str = ""
    redelivery: Delivery | None = None
    """The attempt that decided the outcome; None until the log shows it."""
    requested_at: datetime | None = None
    """When its redelivery was requested; None if it was not."""

    @classmethod
    def before_requests(cls, decision: Decision, policy: Policy, *, due: Outcome) -> "EventResult":
        """Return the result of any event before the first request of this run.

        `due` is the outcome of the events to redeliver: DEFERRED, or DUE in a dry run.
        """
        if decision.verdict is Verdict.REDELIVER:
            return cls.not_yet_requested(decision, due)
        outcome = OUTCOME_OF_VERDICT[decision.verdict]
        return cls(decision=decision, outcome=outcome, because=decision.verdict.reason(policy))

    @classmethod
    def not_yet_requested(
        cls, decision: Decision, outcome: Outcome = Outcome.DEFERRED
    ) -> "EventResult":
        """Return the result of an event to redeliver, before its redelivery is requested."""
        because = NOT_REACHED if outcome is Outcome.DEFERRED else ""
        return cls(decision=decision, outcome=outcome, because=because)

    @classmethod
    def deferred(cls, decision: Decision, because: str) -> "EventResult":
        """Return the result of an event whose redelivery was not executed."""
        return cls(decision=decision, outcome=Outcome.DEFERRED, because=because)

    @classmethod
    def requested(cls, decision: Decision, at: datetime) -> "EventResult":
        """Return the result of an event whose redelivery is requested, until GitHub responds."""
        result = cls(decision=decision, outcome=Outcome.UNANSWERED, requested_at=at)
        return result.unanswered("the run was stopped before GitHub responded")

    def accepted(self) -> "EventResult":
        """Return the result of a redelivery that GitHub has accepted."""
        because = "the run was stopped before GitHub's log showed the outcome"
        return replace(self, outcome=Outcome.PENDING, because=because)

    def unanswered(self, reason: str) -> "EventResult":
        """Return the result of a redelivery that GitHub may have accepted."""
        because = f"GitHub did not confirm the request ({reason}), and may have accepted it"
        return replace(self, because=because)

    @property
    def key(self) -> EventKey:
        """Which event this is about."""
        return self.decision.key

    @property
    def is_due(self) -> bool:
        """Whether the event is to be redelivered and was not yet."""
        is_open = self.outcome in {Outcome.DEFERRED, Outcome.DUE}
        return is_open and self.decision.verdict is Verdict.REDELIVER

    @property
    def is_open(self) -> bool:
        """Whether the event was not requested yet, and may be if there is a place for it."""
        is_surplus = self.decision.verdict is Verdict.SURPLUS
        return self.is_due or (is_surplus and self.outcome is Outcome.DEFERRED)

    @property
    def latest(self) -> Delivery:
        """The attempt that decided the outcome, or the newest one before this run."""
        return self.redelivery or self.decision.delivery

    @property
    def attempts(self) -> int:
        """How many attempts there were before this run, plus one if the log shows a redelivery."""
        return self.decision.attempts + (self.redelivery is not None)

    @property
    def is_gone(self) -> bool:
        """Whether GitHub refused the redelivery because its log no longer has the delivery."""
        is_given_up = self.outcome is Outcome.GIVEN_UP
        return is_given_up and self.decision.verdict is Verdict.REDELIVER

    def verified(self, redelivery: Delivery) -> "EventResult":
        """Return the result that follows from a newer attempt in the log."""
        because = ""
        if self.outcome is Outcome.UNANSWERED:
            because = (
                "GitHub sent no usable response to the request, but its log shows the redelivery"
            )
        outcome = Outcome.RECOVERED if redelivery.succeeded else Outcome.STILL_FAILING
        return replace(self, outcome=outcome, because=because, redelivery=redelivery)

    def gone(self) -> "EventResult":
        """Return the result now that a refused delivery is no longer in the log."""
        because = f"{self.because}, and GitHub's log no longer has this delivery"
        return replace(self, outcome=Outcome.GIVEN_UP, because=because)


class Results(dict[EventKey, EventResult]):
    """The results of a run, in the order of its plan."""

    def due(self, webhook: Webhook | None = None) -> list[EventKey]:
        """Return the events, of one webhook or of all, that are still to be redelivered."""
        return [
            key
            for key, result in self.items()
            if result.is_due and (webhook is None or key.webhook == webhook)
        ]

    def after(self, scan: ScanResult) -> ScanResult:
        """Return a scan whose receiver is not called down if it has just accepted an event."""
        successes = [
            result.redelivery.delivered_at
            for key, result in self.items()
            if result.redelivery and result.redelivery.succeeded and key.webhook == scan.webhook
        ]
        if not successes or not scan.health:
            return scan
        return replace(scan, health=scan.health.after_success(max(successes)))
