"""Find failed events from before the window of a run that has no checkpoint."""

from collections import defaultdict
from collections.abc import Container, Iterable

from redeliver.core.decision import Verdict, decide
from redeliver.core.delivery import Delivery, Guid, newest_first
from redeliver.core.policy import RunOptions
from redeliver.core.window import Window


def older_failures(
    rows: Iterable[Delivery], seen: Container[Guid], window: Window, options: RunOptions
) -> list[Delivery]:
    """Return the newest failure of each event that a run with a longer `lookback` would redeliver.

    `rows` are from GitHub's list of failures. `seen` has the events of which this run has read an
    attempt from its window: they were delivered, or this run deals with them.
    """
    events = defaultdict[Guid, list[Delivery]](list)
    for row in rows:
        events[row.guid].append(row)
    kept_from = window.now - options.max_age
    found = []
    for attempts in map(newest_first, events.values()):
        newest = attempts[0]
        if newest.guid in seen or not kept_from <= newest.delivered_at < window.since:
            continue
        # The original can be further back in the list, or have a code that GitHub does not list.
        is_complete = any(not attempt.redelivery for attempt in attempts)
        verdict = decide(attempts, window, options.policy, is_complete=is_complete)
        if verdict in {Verdict.REDELIVER, Verdict.UNREAD}:
            found.append(newest)
    return found
