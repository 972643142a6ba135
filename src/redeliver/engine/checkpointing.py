"""Save the checkpoint that the results allow: before, during and after the redeliveries."""

from collections.abc import Callable
from datetime import datetime, timedelta

from redeliver.core.checkpoint import Window, format_checkpoint
from redeliver.core.outcome import Results, next_checkpoint
from redeliver.engine.ports import Store

MAX_AGE = timedelta(seconds=5)
"""How long a checkpoint counts as current after it was read. GitHub has no compare-and-swap, so
two writes can always cross; this does not make it much worse."""

SAVE_INTERVAL = timedelta(seconds=30)
"""How often the checkpoint is saved while events are redelivered, in case the run is killed, and
so that other runs see this one. See `checkpoint.MAX_SILENCE`."""


class Checkpointing:
    """The checkpoint of one run, in its store."""

    def __init__(
        self,
        store: Store,
        window: Window,
        results: Results,
        clock: Callable[[], datetime],
        *,
        is_complete: bool,
    ) -> None:
        """Save what `results` allow; `is_complete` is False if a log was not read to its end."""
        self._store = store
        self._window = window
        self._results = results
        self._clock = clock
        self._is_complete = is_complete
        self._saved_at = window.now
        self.checkpoint = window.saved.checkpoint if window.saved else None
        """The stored checkpoint; None if there is none."""

    @property
    def mark(self) -> datetime:
        """The checkpoint that the results so far allow."""
        results = self._results.values()
        return next_checkpoint(self._window, results, is_complete=self._is_complete)

    @property
    def is_due(self) -> bool:
        """Whether it is time to save the checkpoint again."""
        return self._clock() - self._saved_at >= SAVE_INTERVAL

    @property
    def is_stale(self) -> bool:
        """Whether the checkpoint that the run started from must be read again to be current."""
        return self._clock() - self._window.now > MAX_AGE

    def claim(self) -> bool:
        """Write the checkpoint before anything is redelivered; return whether this run may begin.

        It may not if another run wrote the checkpoint in the meantime, or could have. The write
        tells other runs of this one, shows a missing permission before anything is redelivered,
        and tells the next run where to start if this one is killed.
        """
        if self._store.is_shared and self._store.read() != self._window.saved:
            return False
        read_at, mark = self._clock(), self.mark
        if not self._store.write(mark):
            return False
        self.checkpoint, self._saved_at = mark, self._clock()
        # During a slow write, another run can begin.
        is_slow = self._saved_at - read_at > MAX_AGE
        return not (self._store.is_shared and is_slow) or self._is_own(mark)

    def _is_own(self, mark: datetime) -> bool:
        """Read the checkpoint again, and return whether it is what this run has just written."""
        saved = self._store.read()
        return saved is not None and format_checkpoint(saved.checkpoint) == format_checkpoint(mark)

    def save(self, *, reread: bool = True) -> None:
        """Save the checkpoint, unless another run has moved it further.

        The other run's checkpoint covers the failures that it saw. A failure that only this run saw
        appeared late in the log, and the next window, which overlaps, includes it.
        """
        mark = self.mark
        latest = self._store.read() if reread else None
        if latest:
            mark = max(mark, latest.checkpoint)
        if self._store.write(mark):
            self.checkpoint = mark
        else:
            latest = self._store.read()
            self.checkpoint = latest.checkpoint if latest else None
        self._saved_at = self._clock()
