"""The checkpoint as text, in the very form that GitHub's own script keeps it.

Pure. Milliseconds since the epoch, as a string:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a runner's clock may be ahead of the next one's before a value is no checkpoint."""


def to_text(instant: datetime) -> str:
    """Write a checkpoint, rounded down to the millisecond."""
    return str((instant - EPOCH) // timedelta(milliseconds=1))


def from_text(text: str, *, now: datetime) -> datetime | None:
    """Read a checkpoint; None when `text` cannot be one.

    Thirteen digits are the years 2001 to 2286: a port, a count, seconds since the epoch
    and the like are somebody else's variable.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    instant = EPOCH + timedelta(milliseconds=int(text))
    return instant if instant <= now + CLOCK_SKEW else None
