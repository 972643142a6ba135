"""Save the checkpoint that the results allow: before, during and after the redeliveries."""

from datetime import datetime, timedelta

from redeliver.core.checkpoint import Checkpoint, Ended, new_claim
from redeliver.core.next_checkpoint import next_checkpoint, unknown_slots
from redeliver.core.outcome import Results
from redeliver.core.plan import Plan
from redeliver.core.window import Window
from redeliver.engine.checkpoint_reader import CheckpointReader
from redeliver.engine.ports import Runtime, Store
from redeliver.errors import LateError, RateLimitError, UnavailableError

PAUSES = (0.5, 1, 2, 4)
"""Seconds before each further try to write the first checkpoint."""

SAVE_TRIES = 5
"""How often a write of the checkpoint is tried if it has to wait each time."""

CLAIM_PAUSE = 0.5
"""Seconds after which a run looks whether another one has written the checkpoint at the same time.

If reading and writing took longer, the run waits as long as they did. So it finds out unless the
other run took longer between its reading and its writing than this wait and one request.
"""

SAVE_INTERVAL = timedelta(seconds=30)
"""How often the checkpoint is saved while events are redelivered, in case the run is killed, and
so that other runs see this one. See `window.MAX_SILENCE`."""


class Checkpointing:
    """The checkpoint of one run, in its store."""

    def __init__(
        self,
        store: Store,
        window: Window,
        results: Results,
        runtime: Runtime,
        plan: Plan,
        *,
        reader: CheckpointReader,
    ) -> None:
        """Save what `results` allow, and what was read for `plan`.

        `reader` has read the checkpoint of `window`, and may have read the checkpoint again since.
        """
        self._store = store
        self._window = window
        self._results = results
        self._clock = runtime.clock
        self._sleep = runtime.sleep
        self._random = runtime.random
        self._plan = plan
        self._unknown_before = window.unknown if plan.may_have_been_redelivered(window) else ()
        """When earlier runs requested redeliveries that may still be under way."""
        self._saved_at = window.now
        self._reader = reader
        self.checkpoint = window.saved.checkpoint if window.saved else None
        """The stored checkpoint; None if there is none."""
        self._tried = self.checkpoint
        """What this run has tried to write last. A failed try may have been executed."""
        self.is_overtaken = reader.latest not in {None, window.saved}
        """Whether another run has saved the checkpoint since this one began."""

    @property
    def time(self) -> datetime:
        """The time of the checkpoint that the results so far allow."""
        results = self._results.values()
        return next_checkpoint(
            self._window,
            results,
            is_complete=not self._plan.is_incomplete,
            holds=self._plan.holds,
        )

    @property
    def at_end(self) -> Checkpoint:
        """The checkpoint of a run that requests no more redeliveries."""
        return Checkpoint(self.time, Ended(self._unknown))

    @property
    def _unknown(self) -> tuple[datetime, ...]:
        now = self._clock()
        return unknown_slots(self._results.values(), self._unknown_before, now=now)

    @property
    def is_due(self) -> bool:
        """Whether it is time to save the checkpoint again."""
        return self._clock() - self._saved_at >= SAVE_INTERVAL

    def claim(self) -> bool:
        """Write the checkpoint before anything is redelivered; return whether this run may begin.

        It may not if another run writes the checkpoint at the same time. The write tells other runs
        of this one, shows a missing permission before anything is redelivered, and tells the next
        run where to start if this one is killed.
        """
        if self.is_overtaken:
            return False
        claim = self._new_claim()
        if not self._store.is_shared:
            self._write(claim)
            return True
        return self._claim_shared(claim)

    def _new_claim(self) -> Checkpoint:
        standing = self.checkpoint.mark if self.checkpoint else None
        return Checkpoint(self.time, new_claim(self._random(), standing))

    def _claim_shared(self, claim: Checkpoint) -> bool:
        """Write the checkpoint; if a try fails, look whether another run wrote it meanwhile.

        Two runs can read the checkpoint before either of them writes it: GitHub cannot write a
        variable on condition that nobody else has changed it. Then both write. A moment later
        each reads again, and only the last writer finds its own claim. If the variable does not
        exist, there is no need to look: only one run can create it.
        """
        pauses, has_tried = iter(PAUSES), False
        while True:
            # A failed try may have been executed. Creating the variable fails if it exists.
            if has_tried or (self._window.saved and not self._reader.is_fresh):
                saved = self._reader.read()
                if saved != self._window.saved:
                    return has_tried and self._is_standing(claim)
            has_tried = True
            try:
                if not self._write(claim, once=True):
                    return False
            except RateLimitError:
                raise
            except UnavailableError as error:
                pause = next(pauses, None)
                if pause is None:
                    raise _cause(error) from None
                self._sleep(pause)
            else:
                if self._window.saved is None:
                    return True
                self._sleep(max(CLAIM_PAUSE, self._reader.age))
                return self._is_standing(claim)

    def _is_standing(self, claim: Checkpoint) -> bool:
        saved = self._reader.read()
        self.checkpoint = saved.checkpoint if saved else None
        return self.checkpoint == claim

    def save(self, *, at_end: bool) -> None:
        """Save the checkpoint, unless another run has written it meanwhile.

        The other run's checkpoint covers the failures that it saw. A failure that only this run saw
        appeared late in the log, and the next window, which overlaps, includes it.
        `at_end` says that this run requests no more redeliveries.
        """
        tried = 0
        while True:
            tried += 1
            try:
                self._save(at_end=at_end)
            except LateError as error:
                if tried == SAVE_TRIES:
                    raise _cause(error) from None
            else:
                return

    def _save(self, *, at_end: bool) -> None:
        self._saved_at = self._clock()
        # A run that was overtaken adds to what the other one has written.
        latest = self._reader.read() if self.is_overtaken or not self._reader.is_fresh else None
        if latest and latest.checkpoint not in {self.checkpoint, self._tried}:
            self.is_overtaken = True
        if self.is_overtaken:
            if latest and at_end:
                self._add_unknown(latest.checkpoint)
        elif not self._write(self.at_end if at_end else self._new_claim()):
            latest = self._reader.read()
            self.checkpoint = latest.checkpoint if latest else None

    def _add_unknown(self, latest: Checkpoint) -> None:
        """Add this run's unknown outcomes to the checkpoint of a run that has ended meanwhile."""
        self.checkpoint = latest
        if isinstance(latest.mark, Ended) and self._unknown:
            # Which attempts the other slots belong to is unknown.
            last = max([*latest.mark.unknown, *self._unknown])
            self._write(Checkpoint(latest.time, Ended((last,))))

    def _write(self, checkpoint: Checkpoint, *, once: bool = False) -> bool:
        self._tried = checkpoint
        is_written = self._store.write(checkpoint, once=once)
        if is_written:
            self.checkpoint, self._saved_at = checkpoint, self._clock()
        return is_written


def _cause(error: UnavailableError) -> BaseException:
    """Return the error that made a late request wait, or `error` if it is not about one."""
    return error.__cause__ or error
