"""What became of each decision, and how far the checkpoint may move because of it.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from redeliver.plan import Decision, Plan, SecondLook, Verdict, Window


class Fate(Enum):
    """What became of a GUID in this run, in words fit for the run summary."""

    REDELIVERED = "redelivered"
    DUE = "would be redelivered"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    DEFERRED = "left for the next run"
    UNREAD = "not decided"
    UNSETTLED = "unsettled, left for the next run"
    GONE = "refused for good"
    GIVEN_UP = "given up"
    DELIVERED = "delivered by another attempt"

    @property
    def dealt_with(self) -> bool:
        """Whether no later run needs to look at this failure again."""
        return self in {Fate.REDELIVERED, Fate.GONE, Fate.GIVEN_UP, Fate.DELIVERED}


LEFT_ALONE = {
    Verdict.DELIVERED: Fate.DELIVERED,
    Verdict.TOO_OLD: Fate.GIVEN_UP,
    Verdict.EXHAUSTED: Fate.GIVEN_UP,
    Verdict.UNREAD: Fate.UNREAD,
    Verdict.UNSETTLED: Fate.UNSETTLED,
    Verdict.HELD: Fate.UNSETTLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one GUID; `because` says why when that is not plain."""

    decision: Decision
    fate: Fate
    because: str = ""

    @classmethod
    def expected(cls, decision: Decision, *, due: Fate) -> "Outcome":
        """Tell what is to become of a GUID before anything is asked of GitHub.

        `due` is the fate of what is to be redelivered, unless and until it is.
        """
        verdict = decision.verdict
        if verdict is Verdict.REDELIVER:
            because = "the run ended before its turn" if due is Fate.DEFERRED else ""
            return cls(decision=decision, fate=due, because=because)
        return cls(decision=decision, fate=LEFT_ALONE[verdict], because=verdict.value)

    def after(self, look: SecondLook) -> "Outcome":
        """Tell what became of it now that the log was read once more."""
        guid = self.decision.delivery.guid
        if self.fate is Fate.UNANSWERED and guid in look.attempted:
            because = "the log shows it although the answer stayed out"
            return Outcome(decision=self.decision, fate=Fate.REDELIVERED, because=because)
        if self.fate is Fate.REFUSED and guid in look.gone:
            because = f"{self.because}: it has left GitHub's log"
            return Outcome(decision=self.decision, fate=Fate.GONE, because=because)
        return self


def low_water_mark(window: Window, plan: Plan, outcomes: Iterable[Outcome]) -> datetime:
    """Return the checkpoint for the next run: no failure before it is left undealt.

    It is taken when the run starts, so that failures during the run are the next one's,
    and it never moves back. It stays where it is when the log was not read to the end, for
    what was not read is the oldest.
    """
    if plan.broken_off:
        return window.mark
    undealt = [o.decision.delivery.delivered_at for o in outcomes if not o.fate.dealt_with]
    return max(window.mark, min([window.now, *undealt]))
