"""Simulate schedules of runs beside outages and beside an event that its receiver always refuses.

It runs the decisions of redeliver (`redeliver.core`) on a webhook's log in memory.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median_low

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
        self.checkpoint = next_checkpoint(window, results, is_complete=True, holds=())

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


MIN_PHASES, MAX_PHASES = 7, 37
"""How many outages are simulated for a delay, at least and at most."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """How long it takes until the events of outages have been delivered."""

    median: timedelta
    """Half of the events are back so soon after they failed."""
    longest: timedelta
    longest_after_return: timedelta
    """After the receiver has returned."""


def delays(every: timedelta, length: timedelta) -> Delays:
    """Simulate outages that begin at evenly spread times between two runs.

    The longest delays are in those that begin, or end, just after a run.
    """
    phases = min(max(every // MINUTE, MIN_PHASES), MAX_PHASES)
    recovered = [
        event
        for phase in range(phases)
        for event in recoveries(every, length, (phase + 0.5) / phases)
    ]
    ends_after_run = (LATENCY + timedelta(seconds=1) - length) / every % 1
    at_worst = [
        *recovered,
        *recoveries(every, length, 0),
        *recoveries(every, length, ends_after_run),
    ]
    return Delays(
        median=median_low(event.since_failure for event in recovered),
        longest=max(event.since_failure for event in at_worst),
        longest_after_return=max(event.since_return for event in at_worst),
    )


@dataclass(frozen=True, kw_only=True)
class RecoveredEvent:
    """An event of an outage that has been delivered."""

    since_failure: timedelta
    since_return: timedelta


def recoveries(every: timedelta, length: timedelta, phase: float) -> list[RecoveredEvent]:
    """Simulate an outage that begins after a run, by `phase` of the time to the next one.

    An event happens every 20 seconds, or in a long outage every minute.
    """
    begin = START + every * (0.5 + phase)
    end = begin + length
    world = World(every=every, outage=(begin, end))
    until = end + 2 * every + HOUR / 4
    world.live(traffic(min(max(length / 60, MINUTE / 3), MINUTE), until), until)
    recovered = []
    for attempts in world.attempts().values():
        if not attempts[0].succeeded:
            failed = attempts[0].delivered_at
            [at] = [attempt.delivered_at for attempt in attempts if attempt.succeeded]
            recovered.append(RecoveredEvent(since_failure=at - failed, since_return=at - end))
    return recovered


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
