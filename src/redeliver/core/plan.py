"""Combine the decisions on the events of all webhooks into the plan of one run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Webhook
from redeliver.core.policy import Policy
from redeliver.core.scan import ScanResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every decision of a run, the oldest event first."""

    scans: tuple[ScanResult, ...]
    decisions: tuple[Decision, ...]

    @classmethod
    def of(cls, scans: Iterable[ScanResult], policy: Policy) -> "Plan":
        """Return the plan for what was found in all logs."""
        scans = tuple(scans)
        decisions = [decision for scan in scans for decision in scan.decisions]
        decisions.sort(key=lambda decision: (decision.failing_since, decision.delivery.id))
        plan = cls(scans=scans, decisions=tuple(decisions))
        # As long as one event is unsettled, nothing at all is redelivered. If the others were,
        # a webhook that keeps failing would never settle while runs follow each other closely.
        if plan.is_unsettled:
            return plan.held()
        return plan._limited_to(policy.max_redeliveries)

    @property
    def is_incomplete(self) -> bool:
        """Whether some log was not read as far back as it should have been."""
        return any(scan.error for scan in self.scans)

    @property
    def due(self) -> tuple[Decision, ...]:
        """The events to redeliver."""
        return tuple(
            decision for decision in self.decisions if decision.verdict is Verdict.REDELIVER
        )

    @property
    def is_unsettled(self) -> bool:
        """Whether this run follows another so closely that it must not redeliver anything."""
        return any(decision.verdict is Verdict.UNSETTLED for decision in self.decisions)

    def held(self) -> "Plan":
        """Return the plan with everything that is due left to a later run."""
        return self._with_verdict(Verdict.UNSETTLED, self.due)

    @property
    def surplus(self) -> tuple[Decision, ...]:
        """What `max_redeliveries` leaves to the next run, the first to take a free place first."""
        return _in_turn(
            decision for decision in self.decisions if decision.verdict is Verdict.SURPLUS
        )

    def _limited_to(self, maximum: int | None) -> "Plan":
        """Return the plan with all but `maximum` of what is due left to the next run."""
        if maximum is None:
            return self
        return self._with_verdict(Verdict.SURPLUS, _in_turn(self.due)[maximum:])

    def _with_verdict(self, verdict: Verdict, decisions: Iterable[Decision]) -> "Plan":
        keys = {decision.key for decision in decisions}
        changed = (
            replace(decision, verdict=verdict) if decision.key in keys else decision
            for decision in self.decisions
        )
        return replace(self, decisions=tuple(changed))


def _in_turn(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Sort by whose turn it is when not all events can be redelivered.

    The webhooks take turns; of each, the events with the fewest attempts come first, then the
    oldest. If the oldest came first, a few events that their receiver never accepts, or one
    webhook whose receiver is down, would keep all others back until it is too late for them.
    """
    taken = Counter[Webhook]()
    ranked = []
    for decision in sorted(decisions, key=lambda d: (d.attempts, d.failing_since, d.delivery.id)):
        ranked.append((taken[decision.webhook], decision))
        taken[decision.webhook] += 1
    ranked.sort(key=lambda pair: (pair[0], pair[1].failing_since))
    return tuple(decision for _, decision in ranked)
