"""Simulate schedules of runs beside outages and beside an event that its receiver always refuses.

It runs the decisions of redeliver (`redeliver.core`) on a webhook's log in memory.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from redeliver.core.checkpoint import Checkpoint, Ended, SavedCheckpoint
from redeliver.core.decision import Verdict
from redeliver.core.delivery import Delivery, DeliveryId, Guid, StatusFilter, Webhook
from redeliver.core.next_checkpoint import next_checkpoint
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.pages import Page
from redeliver.core.plan import Plan
from redeliver.core.policy import RETENTION, Policy, ScanMode
from redeliver.core.scan import Scan
from redeliver.core.window import Window

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PER_PAGE = 100
POLICY = Policy(give_up_after=RETENTION)
WEBHOOK = Webhook(name="the webhook", id=None, page="https://github.example.com/hook")
LATENCY = timedelta(seconds=5)
"""How long after the start of a run its redeliveries arrive."""


@dataclass
class World:
    """A webhook, its receiver, and runs at a regular interval."""

    every: timedelta
    """The time between two runs."""
    outage: tuple[datetime, datetime] | None = None
    refused: frozenset[str] = frozenset()
    """The events that the receiver always refuses."""
    log: list[Delivery] = field(default_factory=list)
    """Oldest first."""
    checkpoint: datetime = START
    ids: Iterator[int] = field(default_factory=itertools.count)

    def deliver(self, guid: str, at: datetime, *, redelivery: bool) -> Delivery:
        """Try to deliver an event, and log the attempt."""
        is_down = self.outage is not None and self.outage[0] <= at < self.outage[1]
        succeeds = not is_down and guid not in self.refused
        attempt = Delivery(
            id=DeliveryId(next(self.ids)),
            guid=Guid(guid),
            delivered_at=at,
            redelivery=redelivery,
            status="OK" if succeeds else "failed to connect to host",
            status_code=200 if succeeds else 502,
            event="push",
            action=None,
        )
        self.log.append(attempt)
        return attempt

    def pages(self, _filter: StatusFilter) -> Iterator[Page]:
        """Yield the pages of the log, newest first."""
        for end in range(len(self.log), 0, -PER_PAGE):
            begin = max(end - PER_PAGE, 0)
            yield Page(rows=self.log[begin:end][::-1], is_last=begin == 0)
        if not self.log:
            yield Page(rows=(), is_last=True)

    def run(self, now: datetime) -> None:
        """Redeliver what a run would redeliver that starts now, and save its checkpoint."""
        saved = SavedCheckpoint(checkpoint=Checkpoint(self.checkpoint, Ended()), written=now)
        window = Window.starting(saved, now=now, lookback=DAY)
        scan = Scan(WEBHOOK, self.pages, window, POLICY, ScanMode.FULL)
        while scan.read_page():
            pass
        plan = Plan.of([scan.result()], window, POLICY)
        results = []
        for decision in plan.decisions:
            result = EventResult.before_requests(decision, POLICY, due=Outcome.DEFERRED)
            if decision.verdict is Verdict.REDELIVER:
                guid = decision.delivery.guid
                result = result.verified(self.deliver(guid, now + LATENCY, redelivery=True))
            results.append(result)
        self.checkpoint = next_checkpoint(window, results, is_complete=True)

    def live(self, events: Sequence[tuple[datetime, str]], until: datetime) -> None:
        """Let events happen, in order, and a run after each interval."""
        waiting = list(reversed(events))
        now = START + self.every / 2
        while now <= until:
            while waiting and waiting[-1][0] <= now:
                at, guid = waiting.pop()
                self.deliver(guid, at, redelivery=False)
            self.run(now)
            now += self.every

    def attempts(self) -> dict[str, list[Delivery]]:
        """Return the attempts of each event, oldest first."""
        attempts = defaultdict[str, list[Delivery]](list)
        for attempt in self.log:
            attempts[attempt.guid].append(attempt)
        return attempts


def traffic(every: timedelta, until: datetime) -> list[tuple[datetime, str]]:
    """Return an event at each interval."""
    number = (until - START) // every
    return [(START + index * every, f"event-{index}") for index in range(number)]


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What an outage costs."""

    delay: timedelta
    """How long after the receiver has returned the last event arrives."""
    redeliveries: int
    """The most redeliveries of an event that failed during the outage."""


def after_outage(every: timedelta, length: timedelta, between_events: timedelta) -> Recovery:
    """Simulate an outage; events happen at a regular interval, also after it."""
    begin = START + 6 * HOUR
    end = begin + length
    world = World(every=every, outage=(begin, end))
    until = end + max(2 * every, HOUR)
    world.live(traffic(between_events, until), until)
    failed = {
        guid: attempts for guid, attempts in world.attempts().items() if not attempts[0].succeeded
    }
    return Recovery(
        delay=max(attempts[-1].delivered_at for attempts in failed.values()) - end,
        redeliveries=max(len(attempts) for attempts in failed.values()) - 1,
    )


def of_a_refused_event(every: timedelta, between_events: timedelta) -> int:
    """Return how often an event is redelivered in three days that its receiver always refuses."""
    world = World(every=every, refused=frozenset({"refused"}))
    until = START + RETENTION + DAY
    events = sorted([*traffic(between_events, until), (START + HOUR, "refused")])
    world.live(events, until)
    return len(world.attempts()["refused"]) - 1
