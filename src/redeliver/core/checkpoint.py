"""The checkpoint, and its text.

A checkpoint is an instant: every failure before it has been dealt with. Its text is what GitHub's
own script reads and writes, the milliseconds since the epoch, in 13 digits:
https://docs.github.com/en/webhooks/using-webhooks/automatically-redelivering-failed-deliveries-for-an-organization-webhook

The instant has whole seconds. The last three digits, which are milliseconds for the script, say who
wrote the checkpoint, and which redeliveries may still be under way:

* 001: a run, at its end. It knew the outcome of each redelivery.
* 010 to 029: a run, at its end. The last redelivery whose outcome is unknown was requested before
  the end of the minute whose number since the epoch, modulo 20, is this number minus 10.
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

ENDED_SETTLED = 1
FIRST_MINUTE = 10
MINUTES = 20
"""Enough to tell the minutes of the settling time from each other."""
SIGNATURES = range(100, 1000)


@dataclass(frozen=True, slots=True)
class Claim:
    """A checkpoint that no run wrote at its end.

    A run wrote it that still redelivers or was killed; or the script, a person or another program.
    """

    signature: int = 0
    """The milliseconds, less than 1,000."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A checkpoint that a run wrote after it had requested its last redelivery."""

    last_unknown: datetime | None = None
    """When at the latest a redelivery was requested whose outcome is unknown, in whole minutes.

    It is None if the outcomes of all redeliveries are known.
    """

    @classmethod
    def after(cls, last_unknown: datetime | None) -> "Ended":
        """Return the mark of a run, with the time rounded up to the minute."""
        return cls(last_unknown and EPOCH - (EPOCH - last_unknown) // MINUTE * MINUTE)


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
    elif mark.last_unknown is None:
        number = ENDED_SETTLED
    else:
        number = FIRST_MINUTE + (mark.last_unknown - EPOCH) // MINUTE % MINUTES
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


def _mark(number: int, written: datetime) -> Mark:
    """Return what the milliseconds of a checkpoint say."""
    if number == ENDED_SETTLED:
        return Ended()
    if number not in range(FIRST_MINUTE, FIRST_MINUTE + MINUTES):
        return Claim(number)
    # GitHub's servers can have different clocks, so the minute can seem to be after the writing.
    latest = (written + CLOCK_SKEW / 2 - EPOCH) // MINUTE
    return Ended(EPOCH + (latest - (latest - (number - FIRST_MINUTE)) % MINUTES) * MINUTE)
