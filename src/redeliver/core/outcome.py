"""What became of each decision, and how far the checkpoint may move because of it.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from redeliver.core.delivery import Delivery
from redeliver.core.plan import Decision, Plan, Verdict, Window


class Outcome(Enum):
    """What became of a GUID in this run, in words fit for the run summary."""

    RECOVERED = "recovered"
    FAILING = "still failing"
    PENDING = "pending"
    DUE = "would be redelivered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    DEFERRED = "left for the next run"
    UNREAD = "not decided"
    UNSETTLED = "unsettled, left for the next run"
    GONE = "refused for good"
    GIVEN_UP = "given up"
    DELIVERED = "delivered by another attempt"
    FILTERED = "filtered out"

    @property
    def dealt_with(self) -> bool:
        """Whether no later run needs to look at this failure again.

        What is still failing failed anew, after the run began, and that is the next one's.
        """
        return self in DEALT_WITH


ACCEPTED = frozenset({Outcome.RECOVERED, Outcome.FAILING, Outcome.PENDING})
"""What GitHub was asked for and accepted."""

UNCONFIRMED = frozenset({Outcome.PENDING, Outcome.UNANSWERED})
"""What the log can still tell more about."""

DEALT_WITH = ACCEPTED | {Outcome.GONE, Outcome.GIVEN_UP, Outcome.DELIVERED, Outcome.FILTERED}

NOT_REACHED = "the run ended before its turn"
"""Why something is left for the next run unless there is a better reason."""

OUTCOME_OF_VERDICT = {
    Verdict.DELIVERED: Outcome.DELIVERED,
    Verdict.UNWANTED_EVENT: Outcome.FILTERED,
    Verdict.UNWANTED_STATUS: Outcome.FILTERED,
    Verdict.TOO_OLD: Outcome.GIVEN_UP,
    Verdict.EXHAUSTED: Outcome.GIVEN_UP,
    Verdict.UNREAD: Outcome.UNREAD,
    Verdict.UNSETTLED: Outcome.UNSETTLED,
    Verdict.HELD: Outcome.UNSETTLED,
    Verdict.SURPLUS: Outcome.DEFERRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What became of one GUID; `because` says why when that is not plain."""

    decision: Decision
    outcome: Outcome
    because: str = ""
    redelivery: Delivery | None = None
    """What came of the asking, as far as the log shows it."""

    @classmethod
    def expected(cls, decision: Decision, *, due: Outcome) -> "EventResult":
        """Tell what is to become of a GUID before anything is asked of GitHub.

        `due` is the fate of what is to be redelivered, unless and until it is.
        """
        verdict = decision.verdict
        if verdict is Verdict.REDELIVER:
            because = NOT_REACHED if due is Outcome.DEFERRED else ""
            return cls(decision=decision, outcome=due, because=because)
        return cls(decision=decision, outcome=OUTCOME_OF_VERDICT[verdict], because=verdict.value)

    @property
    def latest(self) -> Delivery:
        """The newest attempt that is known."""
        return self.redelivery or self.decision.delivery

    @property
    def attempts(self) -> int:
        """How many attempts are known."""
        return self.decision.attempts + (self.redelivery is not None)

    def shown(self, redelivery: Delivery) -> "EventResult":
        """Tell what became of it now that the log shows an attempt since it was asked for."""
        because = ""
        if self.outcome is Outcome.UNANSWERED:
            because = "the log shows it although no answer came"
        outcome = Outcome.RECOVERED if redelivery.succeeded else Outcome.FAILING
        return replace(self, outcome=outcome, because=because, redelivery=redelivery)

    def gone(self) -> "EventResult":
        """Tell what became of it now that the log no longer has what was refused."""
        return replace(
            self, outcome=Outcome.GONE, because=f"{self.because}: it has left GitHub's log"
        )


def low_water_mark(window: Window, plan: Plan, results: Iterable[EventResult]) -> datetime:
    """Return the checkpoint for the next run: no failure before it is left undealt.

    It is taken when the run starts, so that failures during the run are the next one's,
    and it never moves back. It stays where it is when some log was not read to the end, for
    what was not read is the oldest.
    """
    if plan.is_incomplete:
        return window.mark
    undealt = [o.decision.delivery.delivered_at for o in results if not o.outcome.dealt_with]
    return max(window.mark, min([window.now, *undealt]))
