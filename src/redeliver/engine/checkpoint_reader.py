"""Read the stored checkpoint, and know how long ago that was."""

import math
from collections.abc import Callable
from contextlib import suppress

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.engine.ports import Store
from redeliver.errors import RedeliverError

MAX_AGE = 0.4
"""For how many seconds the checkpoint need not be read again before it is written.

It is shorter than `checkpointing.CLAIM_PAUSE`: a run that has written its claim after this one read
the checkpoint has not redelivered anything yet, and finds what this one writes now when it looks
again.
"""


class CheckpointReader:
    """The checkpoint that one run has read last."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self.is_shared = store.is_shared
        """Whether another run can write the checkpoint while this one uses it."""
        self._monotonic = monotonic
        self._requested_at = -math.inf
        self.latest: SavedCheckpoint | None = None
        """What was read last; None if there was no checkpoint."""

    def read(self) -> SavedCheckpoint | None:
        """Read the checkpoint, or raise."""
        now = self._monotonic()
        self.latest = self._store.read()
        self._requested_at = now
        return self.latest

    def refresh(self) -> None:
        """Read the checkpoint again; if that fails, keep what was read before."""
        with suppress(RedeliverError):
            self.read()

    @property
    def age(self) -> float:
        """How many seconds ago the checkpoint was requested last."""
        return self._monotonic() - self._requested_at

    @property
    def is_aging(self) -> bool:
        """Whether the checkpoint may be too old after the next response."""
        return self.age > MAX_AGE / 2

    @property
    def is_fresh(self) -> bool:
        """Whether the checkpoint need not be read again before it is written."""
        return self.age <= MAX_AGE
