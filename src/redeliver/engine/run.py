"""One run, from the stored checkpoint to the report: read the logs, plan, carry the plan out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from redeliver.core.checkpoint import SavedCheckpoint
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter, Webhook
from redeliver.core.plan import Plan
from redeliver.core.policy import RunOptions, ScanMode
from redeliver.core.window import Window
from redeliver.engine.checkpoint_reader import CheckpointReader
from redeliver.engine.execution import Execution
from redeliver.engine.looking_further_back import look_further_back
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.reading import Log, read_all
from redeliver.engine.verification import SERVER_CLOCK_SKEW
from redeliver.engine.workers import WorkerPool
from redeliver.errors import Interrupted
from redeliver.reporting import health, log_lines, losses, messages, passed, replay
from redeliver.reporting.report import Report

MAX_SECONDS_AHEAD = 2.0
"""How long reading the checkpoint may take, for a page that was read meanwhile to be used."""


def run(hooks: Sequence[Hook], store: Store, runtime: Runtime, options: RunOptions) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` if the run ends before the first redelivery. The report
    has later errors.
    """
    logs = [Log(hook, runtime.console) for hook in hooks]
    reader = CheckpointReader(store, runtime.monotonic)
    with WorkerPool[Webhook | None](runtime.workers) as readers:
        saved, page_age = _read_checkpoint(reader, logs, readers, runtime, options)
        options = options.with_retention(runtime.retention())
        options = replace(options, receiver_timeout=runtime.receiver_timeout())
        # What the first page does not show yet is left to the next run, however late the page came.
        window = _open_window(saved, store, runtime, options, now=runtime.clock() - page_age)
        note_on_filtered = passed.note_on_filtered(store.name, dry_run=options.dry_run)
        scans = read_all(
            logs,
            readers,
            window,
            options,
            runtime.console,
            note_on_filtered=note_on_filtered,
            checkpoint=reader,
        )
    plan = Plan.of(scans, window, options.policy)
    older: tuple[Delivery, ...] = ()
    interrupted = None
    with WorkerPool[EventKey](runtime.workers) as pool:
        execution = Execution(
            plan, hooks, store, runtime, pool, window=window, options=options, reader=reader
        )
        try:
            if options.dry_run:
                execution.preview()
            else:
                execution.run()
            older = look_further_back(hooks, scans, window, options, runtime.console)
        except Interrupted as stop:
            interrupted = stop.signal
            execution.save_interrupted()
    report = execution.report(interrupted, older)
    for scan in report.scans:
        if line := health.log_line(scan, options.receiver_timeout):
            runtime.console.detail(line)
    runtime.console.detail(messages.closing(report))
    return report


def _read_checkpoint(
    reader: CheckpointReader,
    logs: Sequence[Log],
    readers: WorkerPool[Webhook | None],
    runtime: Runtime,
    options: RunOptions,
) -> tuple[SavedCheckpoint | None, timedelta]:
    """Read the checkpoint, and meanwhile the first page of one log, because both take a request.

    Only one: it is not known yet how many requests GitHub's rate limit allows. If that page is
    used, return how long ago it was requested, in whole seconds; otherwise zero.
    """
    if not logs or not reader.is_shared or runtime.workers == 1:
        return reader.read(), timedelta()
    is_filtered = options.scan is ScanMode.FAILURES
    status = StatusFilter.FAILURES if is_filtered else StatusFilter.ALL
    readers.submit(logs[0].webhook, partial(logs[0].read_ahead, status))
    saved = reader.read()
    checkpoint_seconds = reader.age
    while finished := readers.next_result():
        _, error = finished
        if error:
            raise error
    # The page can lack redeliveries of a run that has ended after GitHub sent the page, and before
    # it sent the checkpoint. According to that checkpoint, the log has them all.
    age = timedelta(seconds=int(reader.age))
    requested_at = runtime.clock() - age
    may_have_changed = saved is not None and saved.written >= requested_at - SERVER_CLOCK_SKEW
    if may_have_changed or checkpoint_seconds > MAX_SECONDS_AHEAD:
        logs[0].forget()
        return saved, timedelta()
    return saved, age


def _open_window(
    saved: SavedCheckpoint | None,
    store: Store,
    runtime: Runtime,
    options: RunOptions,
    *,
    now: datetime,
) -> Window:
    """Return the window of a run that starts `now`, and log what it is about to read."""
    if options.is_replay:
        window = Window.of_replay(
            options.since,
            options.until,
            now=now,
            margin=SERVER_CLOCK_SKEW if options.policy.include_delivered else timedelta(),
        )
        runtime.console.detail(replay.opening(window, options))
    else:
        window = Window.starting(saved, now=now, lookback=options.lookback)
        runtime.console.detail(log_lines.opening(store.name, window, options.scan))
    if options.policy.repositories.is_set:
        runtime.console.detail(log_lines.repositories(options.policy.repositories))
    unseen = window.unseen(options.retention)
    if unseen:  # said now, because a run that is killed leaves only its log
        runtime.console.remark(f"Warning: {losses.may_be_unseen(unseen)}")
    return window
