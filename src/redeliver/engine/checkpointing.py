"""Save the checkpoint that the results allow: before, during and after the redeliveries."""

from datetime import datetime, timedelta

from redeliver.core.checkpoint import Window
from redeliver.core.outcome import Results, next_checkpoint
from redeliver.core.plan import Plan
from redeliver.engine.ports import Runtime, Store
from redeliver.errors import RateLimitError, UnavailableError

MAX_AGE = timedelta(seconds=5)
"""How long a checkpoint counts as current after it was read. GitHub has no compare-and-swap, so
two writes can always cross; this does not make it much worse."""

PAUSES = (0.5, 1, 2, 4)
"""Seconds before each further try to write the first checkpoint."""

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
        runtime: Runtime,
        plan: Plan,
    ) -> None:
        """Save what `results` allow, and what was read for `plan`."""
        self._store = store
        self._window = window
        self._results = results
        self._clock = runtime.clock
        self._sleep = runtime.sleep
        self._signature = runtime.signature
        self._plan = plan
        self._saved_at = window.now
        self.checkpoint = window.saved.checkpoint if window.saved else None
        """The stored checkpoint; None if there is none."""
        self._others: datetime | None = None
        """The latest checkpoint that another run has saved since this one began."""

    @property
    def mark(self) -> datetime:
        """The checkpoint that the results so far allow."""
        results = self._results.values()
        return next_checkpoint(
            self._window,
            results,
            is_complete=not self._plan.is_incomplete,
            holds=self._plan.holds,
        )

    @property
    def is_overtaken(self) -> bool:
        """Whether another run has saved the checkpoint since this one began."""
        return self._others is not None

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

        It may not if another run wrote the checkpoint in the meantime. The write tells other runs
        of this one, shows a missing permission before anything is redelivered, and tells the next
        run where to start if this one is killed.

        Two runs that see the same failures would write the same checkpoint. So each run writes its
        own milliseconds. They change it by less than a second, and the next run reads from ten
        minutes before it, so no event is lost.
        """
        mark = self.mark
        if not self._store.is_shared:
            self._store.write(mark)
        else:
            mark = mark.replace(microsecond=0) + self._signature
            if not self._claim_shared(mark):
                return False
        self.checkpoint, self._saved_at = mark, self._clock()
        return True

    def _claim_shared(self, mark: datetime) -> bool:
        """Write the checkpoint; if a try fails, look whether another run wrote it meanwhile."""
        pauses, has_tried = iter(PAUSES), False
        while True:
            saved, read_at = self._store.read(), self._clock()
            if saved != self._window.saved:  # a failed try may have been executed
                return has_tried and saved is not None and saved.checkpoint == mark
            has_tried = True
            try:
                is_written = self._store.write(mark, once=True)
            except RateLimitError:
                raise
            except UnavailableError:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._sleep(pause)
            else:
                # During a slow write, another run can begin.
                is_slow = self._clock() - read_at > MAX_AGE
                return is_written and not (is_slow and self._is_overwritten(mark))

    def _is_overwritten(self, mark: datetime) -> bool:
        saved = self._store.read()
        return saved is None or saved.checkpoint != mark

    def save(self, *, reread: bool = True) -> None:
        """Save the checkpoint, unless another run has moved it further.

        The other run's checkpoint covers the failures that it saw. A failure that only this run saw
        appeared late in the log, and the next window, which overlaps, includes it.
        """
        mark = self.mark
        latest = self._store.read() if reread else None
        if latest and latest.checkpoint != self.checkpoint:  # not what this run wrote
            self._others = latest.checkpoint
        if self._others:
            mark = max(mark, self._others)
        if self._store.write(mark):
            self.checkpoint = mark
        else:
            latest = self._store.read()
            self.checkpoint = latest.checkpoint if latest else None
        self._saved_at = self._clock()
