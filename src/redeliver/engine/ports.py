"""The world as a run sees it: webhooks, a place for the checkpoint, time, and who listens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter, Webhook


class Hook(Protocol):
    """A webhook, seen through its delivery log."""

    @property
    def webhook(self) -> Webhook:
        """Which one it is."""
        ...

    def deliveries(self, listed: StatusFilter = StatusFilter.ALL) -> Iterator[Delivery]:
        """Yield the log or a part of it, newest first, reading no more of it than is taken."""
        ...

    def redeliver(self, delivery: Delivery) -> None:
        """Ask for one more attempt, or raise `RefusalError`; from any thread."""
        ...


class Store(Protocol):
    """Where the checkpoint is kept."""

    @property
    def name(self) -> str:
        """The place in words; empty if none is kept."""
        ...

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, None if there is none yet, or raise `CheckpointError`."""
        ...

    def write(self, checkpoint: datetime) -> bool:
        """Keep `checkpoint`, or raise; False if another run made the first entry just now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What there is beside GitHub."""

    clock: Callable[[], datetime]
    """GitHub's time, known once something was asked of it."""
    workers: int
    """How many redeliveries may be asked for at the same time."""
    seconds_until_turn: Callable[[], float]
    """Tells how many seconds it is until the next redelivery may be asked for."""
    wait_for_turn: Callable[[], None]
    """Returns when the next redelivery may be asked for."""
    hurry: Callable[[], None]
    """Lets the checkpoint be saved at once from now on, however fast GitHub may be asked."""
    sleep: Callable[[float], None]
    """Waits so many seconds."""
    choose: Callable[[Sequence[EventKey], int], list[EventKey]]
    """Takes so many at random."""
    say: Callable[[str], None]
    """Prints a line."""
    progress: Callable[[str, int, int | None], None]
    """Shows how much of something is done, and of how much; None if nobody knows."""


class NullStore:
    """No checkpoint is kept: every run looks back as far as `lookback`."""

    name = ""

    def read(self) -> None:
        """Find nothing."""

    def write(self, checkpoint: datetime) -> bool:  # noqa: ARG002 - there is nowhere to keep it
        """Keep nothing."""
        return True
