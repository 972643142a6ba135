"""Combine the decisions on the events of all webhooks into the plan of one run."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, zip_longest
from typing import TypeVar

from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Webhook
from redeliver.core.policy import Policy
from redeliver.core.scan import ScanResult
from redeliver.core.unreadable import held_times
from redeliver.core.window import Window

T = TypeVar("T")

WEBHOOKS_FASTER = 28
"""How many times as fast as the queues the webhooks rotate.

If they rotated together, a webhook would begin only while its queue begins at a certain position.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every decision of a run: first what is not redelivered, the oldest event first.

    The events to redeliver follow in the order in which their redeliveries are requested.
    """

    scans: tuple[ScanResult, ...]
    decisions: tuple[Decision, ...]
    holds: tuple[datetime, ...] = ()
    """The times of rows that could not be read, which the checkpoint must not pass."""
    keeps_checkpoint: bool = False
    """Whether a run must redeliver nothing, and not write the checkpoint.

    It must not while another run may be redelivering. That run stops if it finds that another one
    has written the checkpoint.
    """

    @classmethod
    def of(cls, scans: Iterable[ScanResult], window: Window, policy: Policy) -> "Plan":
        """Return the plan for what was found in all logs."""
        scans = tuple(scans)
        decisions = [decision for scan in scans for decision in scan.decisions]
        decisions.sort(key=lambda decision: (decision.failing_since, decision.delivery.id))
        due = [decision for decision in decisions if decision.verdict is Verdict.REDELIVER]
        others = [decision for decision in decisions if decision.verdict is not Verdict.REDELIVER]
        rows = [row for scan in scans for row in scan.unreadable]
        plan = cls(
            scans=scans,
            keeps_checkpoint=not scans,  # then there is nothing to save
            decisions=(*others, *_in_turn(due, window)),
            holds=tuple(
                held_times(rows, window, given_up_before=window.now - policy.give_up_after)
            ),
        )
        if window.is_claimed and plan._with(Verdict.UNSETTLED):
            return plan.held()
        if window.is_claimed and plan._with(Verdict.LAST_UNDER_WAY) and not plan.due:
            return replace(plan, keeps_checkpoint=True)
        return plan._limited_to(policy.max_redeliveries)

    @property
    def is_incomplete(self) -> bool:
        """Whether a log was not read as far back as it should have been, or there was none."""
        return not self.scans or any(scan.error for scan in self.scans)

    @property
    def due(self) -> tuple[Decision, ...]:
        """The events to redeliver."""
        return self._with(Verdict.REDELIVER)

    @property
    def surplus(self) -> tuple[Decision, ...]:
        """The events over `max_redeliveries`, in the order in which they fill free places."""
        return self._with(Verdict.SURPLUS)

    def may_have_been_redelivered(self, window: Window) -> bool:
        """Whether an earlier run may have redelivered an event that is not delivered yet.

        If a log was not read as far back as it should have been, it may have such an event.
        """
        undelivered = (d for d in self.decisions if d.verdict is not Verdict.DELIVERED)
        return self.is_incomplete or any(
            window.may_be_under_way(decision.delivery) for decision in undelivered
        )

    def held(self) -> "Plan":
        """Return the plan with everything that is due left to a later run."""
        return replace(self._with_verdict(Verdict.HELD, self.due), keeps_checkpoint=True)

    def _with(self, verdict: Verdict) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.verdict is verdict)

    def _limited_to(self, maximum: int | None) -> "Plan":
        """Return the plan with `maximum` events due and the others left to the next run."""
        if maximum is None:
            return self
        return self._with_verdict(Verdict.SURPLUS, self.due[maximum:])

    def _with_verdict(self, verdict: Verdict, decisions: Iterable[Decision]) -> "Plan":
        keys = {decision.key for decision in decisions}
        changed = (
            replace(decision, verdict=verdict) if decision.key in keys else decision
            for decision in self.decisions
        )
        return replace(self, decisions=tuple(changed))


def evenly_spaced(items: Sequence[T], number: int) -> list[T]:
    """Return `number` of the items, the last one among them, or all if there are fewer."""
    step = max(len(items) // max(number, 1), 1)
    return list(items[::-step][:number])


def _in_turn(decisions: Iterable[Decision], window: Window) -> list[Decision]:
    """Sort events in the order in which their redeliveries are requested: webhooks take turns.

    A run can end at any time, and the next one begins again. If this went by age alone, one webhook
    whose receiver is down would block all others until its events have left the log.

    The webhook with the oldest event begins. If earlier runs have left events, another webhook
    begins in each run.
    """
    queues = defaultdict[Webhook, list[Decision]](list)
    for decision in sorted(decisions, key=lambda d: (d.failing_since, d.delivery.id)):
        queues[decision.webhook].append(decision)
    in_turn = [_queue(queue, window) for queue in queues.values()]
    if any(decision.was_seen for queue in in_turn for decision in queue):
        in_turn = rotated(in_turn, WEBHOOKS_FASTER * window.phase)
    return [decision for in_round in zip_longest(*in_turn) for decision in in_round if decision]


def _queue(oldest_first: Sequence[Decision], window: Window) -> list[Decision]:
    """Sort the events of one webhook: fewest attempts first, then the oldest.

    Those that a replay redelivers although they have been delivered come last.

    GitHub can refuse to redeliver an event, not respond, or accept the redelivery and never make
    it. Then the event keeps its few attempts, and would be among the first in every run. So if an
    earlier run may have seen events, every second position goes to one of these, and where they
    begin moves on from run to run. Among events with equally many attempts, they take turns, too.
    """
    seen = [decision for decision in oldest_first if decision.was_seen]
    fewest_first: list[Decision] = []
    for _, group in groupby(sorted(oldest_first, key=_urgency), key=_urgency):
        equal = list(group)
        # Half a queue ahead, so that both halves of the positions go to different events.
        fewest_first += rotated([d for d in equal if d.was_seen], window.phase + 0.5)
        fewest_first += [d for d in equal if not d.was_seen]
    return list(dict.fromkeys(_alternate(rotated(seen, window.phase), fewest_first)))


def _urgency(decision: Decision) -> tuple[bool, int]:
    return decision.was_delivered, decision.attempts


def rotated(items: Sequence[T], phase: float) -> list[T]:
    """Return all items, beginning at a position: 0.5 is the middle."""
    start = int(phase % 1 * len(items))
    return [*items[start:], *items[:start]]


def _alternate(first: Iterable[Decision], second: Iterable[Decision]) -> Iterator[Decision]:
    """Yield from both in turn until both have ended."""
    for pair in zip_longest(first, second):
        yield from (decision for decision in pair if decision)
