"""The interfaces that a run depends on, and a store that keeps no checkpoint."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from redeliver.console import Console
from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter, Webhook


class Hook(Protocol):
    """A webhook, seen through its delivery log."""

    @property
    def webhook(self) -> Webhook:
        """Which one it is."""
        ...

    def deliveries(self, status: StatusFilter = StatusFilter.ALL) -> Iterator[Delivery]:
        """Yield the rows that pass a filter, newest first; read no more than is consumed."""
        ...

    def redeliver(self, delivery: Delivery) -> None:
        """Request one more attempt, or raise `RefusalError`; from any thread."""
        ...


class Store(Protocol):
    """Where the checkpoint is kept."""

    @property
    def name(self) -> str:
        """The place in words; empty if no checkpoint is kept."""
        ...

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, None if there is none yet, or raise `CheckpointError`."""
        ...

    def write(self, checkpoint: datetime, /) -> bool:
        """Save `checkpoint`, or raise; return False if another run created the first one now."""
        ...


class NullStore:
    """Keeps no checkpoint: every run looks back as far as `lookback`."""

    name = ""

    def read(self) -> None:
        """Find nothing."""

    def write(self, _checkpoint: datetime) -> bool:
        """Keep nothing."""
        return True


class RedeliveryThrottle(Protocol):
    """Decides when the next redelivery may be requested."""

    def seconds_until_turn(self) -> float:
        """Return how long it is until the next redelivery may be requested."""
        ...

    def wait_for_turn(self) -> None:
        """Return when the next redelivery may be requested, and count it."""
        ...

    def hurry(self) -> None:
        """Let the checkpoint be saved at once from now on, whatever the rate limits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a run needs besides webhooks and a store."""

    clock: Callable[[], datetime]
    """GitHub's time, known once GitHub has responded to something."""
    throttle: RedeliveryThrottle
    console: Console
    sleep: Callable[[float], None]
    """Waits so many seconds."""
    choose: Callable[[Sequence[EventKey], int], list[EventKey]]
    """Returns so many at random."""
    workers: int
    """How many redeliveries may be under way at the same time."""
