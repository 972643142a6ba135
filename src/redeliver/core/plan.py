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
        # While one event is unsettled, nothing is redelivered. A run that redelivers writes the
        # checkpoint, which would begin a new settling time, and so on with each run.
        if plan.is_unsettled:
            return plan.held()
        return plan._limited_to(policy.max_redeliveries)

    @property
    def is_incomplete(self) -> bool:
        """Whether a log was not read as far back as it should have been."""
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
        """The events over `max_redeliveries`, in the order in which they fill free places."""
        return _in_turn(
            decision for decision in self.decisions if decision.verdict is Verdict.SURPLUS
        )

    def _limited_to(self, maximum: int | None) -> "Plan":
        """Return the plan with `maximum` events due and the others left to the next run."""
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
    """Sort the events by priority, for when not all of them can be redelivered.

    The webhooks take turns. The events of a webhook are sorted by attempts, fewest first, then by
    age, oldest first. By age alone, a few events that their receiver never accepts, or one
    webhook whose receiver is down, would block all others until they have left the log.
    """
    taken = Counter[Webhook]()
    ranked = []
    for decision in sorted(decisions, key=lambda d: (d.attempts, d.failing_since, d.delivery.id)):
        ranked.append((taken[decision.webhook], decision))
        taken[decision.webhook] += 1
    ranked.sort(key=lambda pair: (pair[0], pair[1].failing_since))
    return tuple(decision for _, decision in ranked)
