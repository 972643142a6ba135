"""The checkpoint, and its text.

A checkpoint is an instant: every failure before it has been dealt with. Its text is what GitHub's
own script reads and writes, the milliseconds since the epoch, in 13 digits:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook

The instant has whole seconds. The last three digits, which are milliseconds for the script, say who
wrote the checkpoint, and which redeliveries may still be under way:

* 001 to 064: a run, at its end. 001 says that it knew the outcome of each redelivery. Otherwise
  each bit of the number minus 1 stands for five minutes in which redeliveries were requested whose
  outcome is unknown: bit n for those whose number since the epoch is n, modulo 6.
* 100 to 999: a run that redelivers, or was killed meanwhile. The number is random, so that a run
  recognises what it has written itself.
* anything else, and by chance any of these: the script, a person, or another program.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a checkpoint may be: GitHub's script uses the runner's clock."""

SLOT = timedelta(minutes=5)
SLOTS = 6
"""Enough for the slots of the last 20 minutes, even if a write takes minutes."""
ALL_KNOWN = 1
SIGNATURES = range(100, 1000)


@dataclass(frozen=True, slots=True)
class Claim:
    """The mark of a checkpoint that was not written at the end of a run.

    A run that is still redelivering or was killed wrote it; or the script, a person or another
    program.
    """

    signature: int = 0
    """The milliseconds, less than 1,000."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The mark that a run leaves after its last redelivery."""

    unknown: tuple[datetime, ...] = ()
    """When redeliveries were requested whose outcome is unknown: the ends of slots, in order."""


Mark: TypeAlias = Claim | Ended

UNMARKED = Claim()
"""A mark that no run writes."""


def new_claim(number: int, standing: Mark | None) -> Claim:
    """Return a claim with a signature that follows from any number, and is not the standing one.

    So each write changes the value. GitHub does not document that it updates `updated_at` if the
    value stays the same.
    """
    claim = Claim(SIGNATURES[number % len(SIGNATURES)])
    return new_claim(number + 1, standing) if claim == standing else claim


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to when every failure has been dealt with, and what is known of the run that wrote it."""

    time: datetime
    """In whole seconds."""
    mark: Mark = UNMARKED


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCheckpoint:
    """A checkpoint as it was read, and when it was written, by GitHub's clock."""

    checkpoint: Checkpoint
    written: datetime


def format_checkpoint(time: datetime, mark: Mark = UNMARKED) -> str:
    """Write a checkpoint as text: 13 digits."""
    if isinstance(mark, Claim):
        number = mark.signature
    else:
        number = ALL_KNOWN + sum(1 << _slot(end) % SLOTS for end in mark.unknown)
    return f"{(time - EPOCH) // SECOND}{number:03}"


def parse_checkpoint(
    text: str, *, written: datetime | None = None, now: datetime
) -> SavedCheckpoint | None:
    """Read a checkpoint from text; return None when `text` cannot be one.

    `written` is when it was written, None if that is unknown.
    Thirteen digits are the years 2001 to 2286. A port, a count or seconds since the epoch have
    fewer, so a variable with another purpose is not taken for a checkpoint.
    """
    if not re.fullmatch(r"[0-9]{13}", text.strip()):
        return None
    seconds, number = divmod(int(text), 1000)
    time = EPOCH + timedelta(seconds=seconds)
    if time > now + CLOCK_SKEW:
        return None
    if written is None or written > now + CLOCK_SKEW:
        written = time  # with a time in the future, every run would wait until then
    return SavedCheckpoint(checkpoint=Checkpoint(time, _mark(number, written)), written=written)


def slot_end(instant: datetime) -> datetime:
    """Return the end of the five minutes that an instant is in."""
    return EPOCH + (_slot(instant) + 1) * SLOT


def _slot(instant: datetime) -> int:
    return (instant - EPOCH) // SLOT


def _mark(number: int, written: datetime) -> Mark:
    """Return what the milliseconds of a checkpoint say."""
    mask = number - ALL_KNOWN
    if mask not in range(1 << SLOTS):
        return Claim(number)
    # GitHub's servers can have different clocks, so a slot can seem to be after the writing.
    latest = slot_end(written + MINUTE)
    ends = (latest - index * SLOT for index in reversed(range(SLOTS)))
    return Ended(tuple(end for end in ends if mask & 1 << _slot(end) % SLOTS))
