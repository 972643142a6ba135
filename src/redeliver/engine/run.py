"""One run: read the logs, decide, redeliver, verify, move the checkpoint."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from redeliver.core.checkpoint import Window
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.plan import Plan
from redeliver.core.policy import RunOptions
from redeliver.core.scan import ScanResult, scan_log
from redeliver.engine.execution import Work
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.workers import WorkerPool
from redeliver.errors import Interrupted, RateLimitError
from redeliver.reporting import messages
from redeliver.reporting.report import Report


def run(hooks: Sequence[Hook], store: Store, runtime: Runtime, options: RunOptions) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` when that ends before the first redelivery; later
    trouble is told by the report.
    """
    saved = store.read()
    window = Window.starting(saved, now=runtime.clock(), lookback=options.lookback)
    runtime.say(messages.opening(store.name, window, options.scan))
    unseen = window.unseen(options.retention)
    if unseen:  # now, for a run that is killed later leaves only its log
        runtime.say(f"Warning: {messages.may_be_unseen(unseen)}")
    planned = Plan.of(_read_all(hooks, runtime, window, options), options.policy)
    interrupted = None
    with WorkerPool[int](runtime.workers) as pool:
        work = Work(hooks, store, runtime, pool, window=window, planned=planned, options=options)
        if options.dry_run:
            work.tell_all()
        else:
            try:
                work.run()
            except Interrupted as stop:
                interrupted = stop.signal
                work.save_at_last()
    result = Report(
        store=store.name,
        options=options,
        window=window,
        scans=planned.scans,
        results=tuple(work.results),
        checkpoint=work.checkpoint if store.name else None,
        trouble=tuple(work.trouble),
        limit=work.limit,
        unverified=dict(work.unverified),
        interrupted=interrupted,
    )
    runtime.say(messages.closing(result))
    return result


def _read_all(
    hooks: Iterable[Hook], runtime: Runtime, window: Window, options: RunOptions
) -> list[ScanResult]:
    """Read every log, or raise if not one of them can be read."""
    scans: list[ScanResult] = []
    for hook in hooks:
        latest = scans[-1] if scans else None
        if latest and isinstance(latest.error, RateLimitError):
            # It would be the same, and GitHub holds against a client what it asks regardless.
            scan = replace(latest, webhook=hook.webhook, scanned=0, decisions=(), unclassified=0)
        else:
            scan = scan_log(
                hook.webhook, _counted(hook, runtime), window, options.policy, options.scan
            )
        runtime.say(messages.scanned(scan))
        scans.append(scan)
    errors = [scan.error for scan in scans if scan.is_unread]
    if errors and errors[0] and len(errors) == len(scans):
        raise errors[0]
    return scans


def _counted(hook: Hook, runtime: Runtime) -> Callable[[StatusFilter], Iterator[Delivery]]:
    """Give the hook's log, and show how much of it was read."""
    numbers = itertools.count(1)

    def log(listed: StatusFilter) -> Iterator[Delivery]:
        for delivery, number in zip(hook.deliveries(listed), numbers, strict=False):
            runtime.progress(f"Reading {hook.webhook.name}: deliveries", number, None)
            yield delivery

    return log
