"""The checkpoint, and its text in the very form that GitHub's own script keeps it.

Pure. Milliseconds since the epoch, as a string:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead a checkpoint may be and still be one: GitHub's script takes a runner's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCheckpoint:
    """A checkpoint as it was found, and when it was written, by GitHub's clock."""

    checkpoint: datetime
    written: datetime


def format_checkpoint(instant: datetime) -> str:
    """Write a checkpoint, rounded down to the millisecond."""
    return str((instant - EPOCH) // timedelta(milliseconds=1))


def parse_checkpoint(text: str, *, now: datetime) -> datetime | None:
    """Read a checkpoint; None when `text` cannot be one.

    Thirteen digits are the years 2001 to 2286: a port, a count, seconds since the epoch
    and the like are somebody else's variable.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    instant = EPOCH + timedelta(milliseconds=int(text))
    return instant if instant <= now + CLOCK_SKEW else None
