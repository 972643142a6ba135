"""The interfaces that a run depends on, and a store that keeps no checkpoint."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from redeliver.console import Console
from redeliver.core.checkpoint import Checkpoint, SavedCheckpoint
from redeliver.core.delivery import Delivery, StatusFilter, Webhook
from redeliver.core.pages import Page


class Hook(Protocol):
    """A webhook and its delivery log."""

    @property
    def webhook(self) -> Webhook:
        """The webhook, as reports name it."""
        ...

    def pages(
        self, status: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        """Yield the pages of rows that pass a filter, newest first; read only what is consumed.

        With `planning`, raise `RateLimitError` early enough to redeliver what was found.
        """
        ...

    def redeliver(self, delivery: Delivery) -> None:
        """Request one more attempt, or raise `RefusalError`. Any thread may call this."""
        ...


class Store(Protocol):
    """Where the checkpoint is kept."""

    @property
    def name(self) -> str:
        """What messages call it; empty if no checkpoint is kept."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether another run can write the checkpoint while this one uses it."""
        ...

    def read(self) -> SavedCheckpoint | None:
        """Return the checkpoint, None if there is none yet, or raise `CheckpointError`."""
        ...

    def write(self, checkpoint: Checkpoint, /, *, once: bool = False) -> bool:
        """Save `checkpoint` and return True, or raise.

        `LateError` means that nothing was written, because another run may have written meanwhile.
        Return False if another run has just created the checkpoint; it is left as it is. With
        `once`, do not try again after a try that may have been executed.
        """
        ...


class NullStore:
    """Keeps no checkpoint, so every run reads as far back as `lookback`."""

    name = ""
    is_shared = False

    def read(self) -> None:
        """Find nothing."""

    def write(self, _checkpoint: Checkpoint, *, once: bool = False) -> bool:  # noqa: ARG002 - of Store
        """Keep nothing."""
        return True


class RedeliveryThrottle(Protocol):
    """Decides when the next redelivery may be requested."""

    def seconds_until_turn(self) -> float:
        """Return how many seconds to wait before the next redelivery may be requested."""
        ...

    def wait_for_turn(self) -> None:
        """Block until the next redelivery may be requested, and count it."""
        ...

    def hurry(self) -> None:
        """From now on, save the checkpoint without waiting for rate limits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The other dependencies of a run."""

    clock: Callable[[], datetime]
    """GitHub's time; known after the first response."""
    monotonic: Callable[[], float]
    """Seconds since any moment; the system's time being set does not change them."""
    retention: Callable[[], timedelta]
    """How long GitHub keeps its logs; known after the first response."""
    receiver_timeout: Callable[[], timedelta]
    """How long GitHub waits for a receiver's answer; known after the first response."""
    token_expirations: Callable[[], Mapping[str, datetime]]
    """When each token expires, by its input, as far as responses have said so."""
    random: Callable[[], int]
    """Returns a number of at least 0, mostly another one each time, also in other runs."""
    throttle: RedeliveryThrottle
    console: Console
    sleep: Callable[[float], None]
    """Waits the given number of seconds."""
    workers: int
    """How many redeliveries may be requested at the same time."""
