"""What became of each decision, and how far the checkpoint may move because of it.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from redeliver.delivery import Delivery
from redeliver.plan import Decision, Plan, Verdict, Window


class Fate(Enum):
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


ACCEPTED = frozenset({Fate.RECOVERED, Fate.FAILING, Fate.PENDING})
"""What GitHub was asked for and accepted."""

OPEN = frozenset({Fate.PENDING, Fate.UNANSWERED})
"""What the log can still tell more about."""

DEALT_WITH = ACCEPTED | {Fate.GONE, Fate.GIVEN_UP, Fate.DELIVERED, Fate.FILTERED}

OUT_OF_TURN = "the run ended before its turn"
"""Why something is left for the next run unless there is a better reason."""

LEFT_ALONE = {
    Verdict.DELIVERED: Fate.DELIVERED,
    Verdict.UNWANTED_EVENT: Fate.FILTERED,
    Verdict.UNWANTED_STATUS: Fate.FILTERED,
    Verdict.TOO_OLD: Fate.GIVEN_UP,
    Verdict.EXHAUSTED: Fate.GIVEN_UP,
    Verdict.UNREAD: Fate.UNREAD,
    Verdict.UNSETTLED: Fate.UNSETTLED,
    Verdict.HELD: Fate.UNSETTLED,
    Verdict.SURPLUS: Fate.DEFERRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one GUID; `because` says why when that is not plain."""

    decision: Decision
    fate: Fate
    because: str = ""
    redelivery: Delivery | None = None
    """What came of the asking, as far as the log shows it."""

    @classmethod
    def expected(cls, decision: Decision, *, due: Fate) -> "Outcome":
        """Tell what is to become of a GUID before anything is asked of GitHub.

        `due` is the fate of what is to be redelivered, unless and until it is.
        """
        verdict = decision.verdict
        if verdict is Verdict.REDELIVER:
            because = OUT_OF_TURN if due is Fate.DEFERRED else ""
            return cls(decision=decision, fate=due, because=because)
        return cls(decision=decision, fate=LEFT_ALONE[verdict], because=verdict.value)

    @property
    def latest(self) -> Delivery:
        """The newest attempt that is known."""
        return self.redelivery or self.decision.delivery

    @property
    def attempts(self) -> int:
        """How many attempts are known."""
        return self.decision.attempts + (self.redelivery is not None)

    def shown(self, redelivery: Delivery) -> "Outcome":
        """Tell what became of it now that the log shows an attempt since it was asked for."""
        because = ""
        if self.fate is Fate.UNANSWERED:
            because = "the log shows it although no answer came"
        fate = Fate.RECOVERED if redelivery.succeeded else Fate.FAILING
        return replace(self, fate=fate, because=because, redelivery=redelivery)

    def left_the_log(self) -> "Outcome":
        """Tell what became of it now that the log no longer has what was refused."""
        return replace(self, fate=Fate.GONE, because=f"{self.because}: it has left GitHub's log")


def low_water_mark(window: Window, plan: Plan, outcomes: Iterable[Outcome]) -> datetime:
    """Return the checkpoint for the next run: no failure before it is left undealt.

    It is taken when the run starts, so that failures during the run are the next one's,
    and it never moves back. It stays where it is when some log was not read to the end, for
    what was not read is the oldest.
    """
    if plan.is_broken_off:
        return window.mark
    undealt = [o.decision.delivery.delivered_at for o in outcomes if not o.fate.dealt_with]
    return max(window.mark, min([window.now, *undealt]))
