"""What a run may save: how far the checkpoint may move, and which outcomes are unknown."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from redeliver.core.checkpoint import SLOT, slot_end
from redeliver.core.outcome import OUTCOME_UNKNOWN, EventResult
from redeliver.core.window import SETTLING_TIME, Window

REMEMBERED = timedelta(minutes=20)
"""How long after its end a slot is kept. Even if its outcomes are known by now, it shows that older
attempts belong to it, and not to a later slot."""


def next_checkpoint(
    window: Window,
    results: Iterable[EventResult],
    *,
    is_complete: bool,
    holds: Iterable[datetime],
) -> datetime:
    """Return the checkpoint for the next run: every failure before it has been dealt with.

    It is at most this run's start, because failures during the run are left to the next run, and
    it never moves back. It does not move unless the logs were read as far back as they should
    have been (`is_complete`): rows that were not read are the oldest, and may hold older failures.
    It does not pass `holds`, the times of rows that could not be read. It has whole seconds.
    """
    if not is_complete:
        return window.checkpoint
    open_failures = [
        result.decision.delivery.delivered_at for result in results if not result.outcome.dealt_with
    ]
    oldest = min([window.now, *open_failures, *holds])
    return max(window.checkpoint, oldest).replace(microsecond=0)


def unknown_slots(
    results: Iterable[EventResult], earlier: Iterable[datetime], *, now: datetime
) -> tuple[datetime, ...]:
    """Return when redeliveries were requested whose outcome is unknown, as `Ended` has it.

    `earlier` are the slots of earlier runs. Drop each that begins after the oldest attempt that
    this run redelivered without knowing the outcome: `Window.may_be_under_way` would count that
    redelivery to the earlier slot, which matters for too short a time.
    """
    unknown = [
        (result.requested_at, result.decision.delivery.delivered_at)
        for result in results
        if result.outcome in OUTCOME_UNKNOWN
        and result.requested_at
        and now < result.requested_at + SETTLING_TIME
    ]
    oldest = min((attempted_at for _, attempted_at in unknown), default=now)
    # Only the last: a long run requests some events later than the first slot after their attempt.
    own = {slot_end(max(requested_at for requested_at, _ in unknown))} if unknown else set()
    kept = {end for end in earlier if now < end + REMEMBERED and oldest >= end - SLOT}
    is_settled = all(now >= end + SETTLING_TIME for end in own | kept)
    return () if is_settled else tuple(sorted(own | kept))
