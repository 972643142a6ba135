"""What the log shows, after the asking, of the deliveries that were asked for.

Pure. GitHub says 202 to a redelivery before it is made; only the log tells how it went, once it
is over and sometimes minutes late.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from redeliver.core.delivery import Delivery, Guid
from redeliver.core.scan import OLD_ROWS_AT_END

SKEW = timedelta(minutes=1)
"""How much earlier than it was asked for a redelivery may seem to be, by the clock of another
of GitHub's servers."""


def redeliveries(
    log: Iterable[Delivery], asked: Iterable[Delivery], *, since: datetime
) -> Mapping[Guid, Delivery]:
    """Return the attempts since then at what was asked for: of each GUID the one that counts.

    That is one that succeeded or else the newest, whoever asked for it. `log` is read no
    further back than it takes.
    """
    before = {delivery.guid: delivery for delivery in asked}
    found: dict[Guid, Delivery] = {}
    for row in _back_to(log, since - SKEW):
        known = before.get(row.guid)
        is_new = known and row.id != known.id and row.delivered_at > known.delivered_at
        if is_new and (row.guid not in found or _counts_more(row, found[row.guid])):
            found[row.guid] = row
    return found


def gone(
    log: Iterable[Delivery], refused: Iterable[Delivery], *, since: datetime
) -> frozenset[Guid]:
    """Return the GUIDs whose delivery is no longer in the log, which was read back to `since`.

    An empty log shows nothing: the deliveries that were just read do not all leave at once.
    """
    missing = {delivery.id: delivery for delivery in refused}
    is_empty = True
    for row in _back_to(log, since):
        is_empty = False
        missing.pop(row.id, None)
    return frozenset() if is_empty else frozenset(d.guid for d in missing.values())


def _counts_more(attempt: Delivery, other: Delivery) -> bool:
    return (attempt.succeeded, attempt.delivered_at) > (other.succeeded, other.delivered_at)


def _back_to(log: Iterable[Delivery], instant: datetime) -> Iterator[Delivery]:
    """Yield the rows since `instant`, and some more, for a row can be in the wrong place."""
    older = 0
    for row in log:
        older = older + 1 if row.delivered_at < instant else 0
        if older >= OLD_ROWS_AT_END:
            return
        yield row
