"""What became of each decision, and how far the checkpoint may move because of it.

Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from redeliver.plan import Decision, Verdict, Window


class Fate(Enum):
    """What became of a GUID in this run, in words fit for the run summary."""

    REDELIVERED = "redelivered"
    DUE = "would be redelivered"
    REFUSED = "refused"
    DEFERRED = "left for the next run"
    UNSETTLED = "unsettled, left for the next run"
    GIVEN_UP = "given up"
    DELIVERED = "delivered by another attempt"

    @property
    def dealt_with(self) -> bool:
        """Whether no later run needs to look at this failure again."""
        return self in {Fate.REDELIVERED, Fate.GIVEN_UP, Fate.DELIVERED}


LEFT_ALONE = {
    Verdict.DELIVERED: Fate.DELIVERED,
    Verdict.GIVEN_UP: Fate.GIVEN_UP,
    Verdict.UNSETTLED: Fate.UNSETTLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one GUID; `because` says why when that is not plain."""

    decision: Decision
    fate: Fate
    because: str = ""

    @classmethod
    def left_alone(cls, decision: Decision) -> "Outcome":
        """Tell why nothing is asked of GitHub for this GUID."""
        verdict = decision.verdict
        return cls(decision=decision, fate=LEFT_ALONE[verdict], because=verdict.value)


def low_water_mark(window: Window, outcomes: Iterable[Outcome]) -> datetime:
    """Return the checkpoint for the next run: no failure before it is left undealt.

    It is taken when the run starts, so that failures during the run are the next one's,
    and it never moves back.
    """
    undealt = [o.decision.delivery.delivered_at for o in outcomes if not o.fate.dealt_with]
    return max(window.mark, min([window.now, *undealt]))
