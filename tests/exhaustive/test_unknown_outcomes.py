"""Runs that do not know all outcomes: no event is requested again while it may be under way.

A model without GitHub: events fail and runs follow at random, and the outcome of a redelivery
is known at once, appears in the log up to ten minutes later, or never.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from redeliver.core.checkpoint import Ended, SavedCheckpoint, format_checkpoint, parse_checkpoint
from redeliver.core.next_checkpoint import unknown_slots
from redeliver.core.outcome import EventResult
from redeliver.core.window import OVERLAP, Window
from tests.support.builders import NOW, a_decision, a_delivery

RUNS = 120


@dataclass
class Event:
    """An event that its receiver has not accepted yet."""

    newest: datetime
    """The newest attempt that the log shows."""
    requested: datetime | None = None
    """When a redelivery was requested whose outcome is unknown."""
    visible: datetime | None = None
    """When the log shows that it has failed; None means never."""

    def look(self, now: datetime) -> None:
        """See what the log shows by now."""
        if self.requested and self.visible and self.visible <= now:
            self.newest, self.requested, self.visible = self.requested, None, None


def live(random: Random) -> int:
    """Let runs follow each other, check each request, and return how many were made."""
    every, saved, count = random.choice([1, 2, 5, 10, 16]), None, 0
    unknown, deferred = random.choice([0.1, 0.5, 1]), random.choice([0, 0, 0.5])
    now, events = NOW, list[Event]()
    for _ in range(RUNS):
        now += timedelta(seconds=random.randint(40 * every, 80 * every))
        events += [
            Event(now - timedelta(seconds=random.randint(0, 60 * every)))
            for _ in range(random.choice([0, 0, 1, 2]))
        ]
        window, results = Window.starting(saved, now=now, lookback=timedelta(days=1)), []
        before = [replace(event) for event in events]
        for event in before:
            event.look(now)
        for event in list(events):
            event.look(now)
            attempt = a_delivery(at=event.newest)
            if window.may_be_under_way(attempt) or random.random() < deferred:
                continue
            count += 1
            assert not event.requested or now - event.requested >= OVERLAP, "it is under way"
            if random.random() < unknown:
                late = timedelta(seconds=random.randint(0, 600))
                event.requested, event.visible = now, random.choice([None, now + late])
                results.append(EventResult.requested(a_decision(attempt), now).accepted())
            else:
                events.remove(event)
        is_unsettled = any(window.may_be_under_way(a_delivery(at=e.newest)) for e in before)
        end = now + timedelta(seconds=random.randint(1, 30))
        saved = save(results, window.unknown if is_unsettled else (), window, end)
        now = saved.written
    return count


def save(
    results: list[EventResult], earlier: Iterable[datetime], window: Window, now: datetime
) -> SavedCheckpoint:
    """Save the checkpoint at the end of a run, and return it as the next run reads it."""
    mark = Ended(unknown_slots(results, earlier, now=now))
    text = format_checkpoint(window.now, mark)
    saved = parse_checkpoint(text, written=now + timedelta(seconds=1), now=now)
    assert saved
    return saved


@settings(max_examples=settings().max_examples * 3 // 2)
@given(st.randoms(use_true_random=True))
def test_no_event_is_requested_while_it_may_be_under_way(random: Random) -> None:
    assert live(random) > 0
