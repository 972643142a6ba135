"""One run, from the stored checkpoint to the report: read the logs, plan, carry the plan out."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from redeliver.core.checkpoint import Window
from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.plan import Plan
from redeliver.core.policy import RunOptions
from redeliver.core.scan import ScanResult, scan_log
from redeliver.engine.execution import Execution
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.workers import WorkerPool
from redeliver.errors import Interrupted, RateLimitError
from redeliver.reporting import log_lines, messages
from redeliver.reporting.report import Report


def run(hooks: Sequence[Hook], store: Store, runtime: Runtime, options: RunOptions) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` if the run ends before the first redelivery. The report
    has later errors.
    """
    saved = store.read()
    window = Window.starting(saved, now=runtime.clock(), lookback=options.lookback)
    runtime.console.say(log_lines.opening(store.name, window, options.scan))
    unseen = window.unseen(options.retention)
    if unseen:  # said now, because a run that is killed leaves only its log
        runtime.console.say(f"Warning: {messages.may_be_unseen(unseen)}")
    plan = Plan.of(_scan_all(hooks, runtime, window, options), options.policy)
    interrupted = None
    with WorkerPool[EventKey](runtime.workers) as pool:
        execution = Execution(plan, hooks, store, runtime, pool, window=window, options=options)
        if options.dry_run:
            execution.preview()
        else:
            try:
                execution.run()
            except Interrupted as stop:
                interrupted = stop.signal
                execution.save_interrupted()
    report = execution.report(interrupted)
    runtime.console.say(messages.closing(report))
    return report


def _scan_all(
    hooks: Iterable[Hook], runtime: Runtime, window: Window, options: RunOptions
) -> list[ScanResult]:
    """Read every log, or raise if none of them can be read."""
    scans: list[ScanResult] = []
    for hook in hooks:
        last = scans[-1] if scans else None
        if last and isinstance(last.error, RateLimitError):
            # The other logs would meet the same limit, and GitHub penalizes clients that continue.
            scan = replace(last, webhook=hook.webhook, scanned=0, decisions=(), unclassified=0)
        else:
            log = _with_progress(hook, runtime)
            scan = scan_log(hook.webhook, log, window, options.policy, options.scan)
        runtime.console.say(log_lines.scanned(scan))
        scans.append(scan)
    errors = [scan.error for scan in scans if scan.is_unread]
    if errors and errors[0] and len(errors) == len(scans):
        raise errors[0]
    return scans


def _with_progress(hook: Hook, runtime: Runtime) -> Callable[[StatusFilter], Iterator[Delivery]]:
    """Return the hook's log; reading it shows progress on the console."""
    numbers = itertools.count(1)

    def log(status: StatusFilter) -> Iterator[Delivery]:
        for delivery, number in zip(hook.deliveries(status), numbers, strict=False):
            runtime.console.progress(f"Deliveries read of {hook.webhook.name}:", number, None)
            yield delivery

    return log
