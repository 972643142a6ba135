"""One run, from the stored checkpoint to the report: read the logs, plan, carry the plan out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Delivery, StatusFilter
from redeliver.core.pages import Page
from redeliver.core.plan import Plan, rotated
from redeliver.core.policy import RunOptions
from redeliver.core.scan import Scan, ScanResult
from redeliver.core.window import Window
from redeliver.engine.execution import Execution
from redeliver.engine.looking_further_back import look_further_back
from redeliver.engine.ports import Hook, Runtime, Store
from redeliver.engine.verification import SERVER_CLOCK_SKEW
from redeliver.engine.workers import WorkerPool
from redeliver.errors import Interrupted, RateLimitError, TooLongError, UnreachableError
from redeliver.reporting import health, log_lines, losses, messages, passed, replay
from redeliver.reporting.report import Report

MAX_UNREACHABLE = 2
"""After this many webhooks without any response, those that were not tried yet are not read."""


def run(hooks: Sequence[Hook], store: Store, runtime: Runtime, options: RunOptions) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` if the run ends before the first redelivery. The report
    has later errors.
    """
    saved = store.read()
    options = options.with_retention(runtime.retention())
    options = replace(options, receiver_timeout=runtime.receiver_timeout())
    now = runtime.clock()
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
    note_on_filtered = passed.note_on_filtered(store.name, dry_run=options.dry_run)
    scans = _scan_all(hooks, runtime, window, options, note_on_filtered=note_on_filtered)
    plan = Plan.of(scans, window, options.policy)
    older: tuple[Delivery, ...] = ()
    interrupted = None
    with WorkerPool[EventKey](runtime.workers) as pool:
        execution = Execution(plan, hooks, store, runtime, pool, window=window, options=options)
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


def _scan_all(
    hooks: Iterable[Hook],
    runtime: Runtime,
    window: Window,
    options: RunOptions,
    *,
    note_on_filtered: str,
) -> list[ScanResult]:
    """Read every log, or raise if none of them can be read.

    The first pages of all logs are read before the second page of any, so that one long log cannot
    use up the rate limit before the others were read.
    """
    scans = [
        Scan(
            hook.webhook,
            _with_progress(hook, runtime),
            window,
            options.policy,
            options.scan,
            receiver_timeout=options.receiver_timeout,
        )
        for hook in hooks
    ]
    in_order = sorted(scans, key=lambda scan: scan.webhook.page)
    unfinished = deque(rotated(in_order, window.phase))
    unreachable = 0
    while unfinished:
        scan = unfinished.popleft()
        if scan.read_page():
            unfinished.append(scan)
            continue
        runtime.console.detail(log_lines.scanned(scan.result(), note_on_filtered=note_on_filtered))
        match scan.error:
            case RateLimitError() | TooLongError() as error:
                stopped = list(unfinished)  # all would have the same error
            case UnreachableError() as error if unreachable == MAX_UNREACHABLE - 1:
                stopped = [other for other in unfinished if not other.has_begun]
            case UnreachableError():
                unreachable += 1
                continue
            case _:
                continue
        for other in stopped:
            other.stop(error)
            unfinished.remove(other)
            runtime.console.detail(log_lines.not_read_further(other.webhook, scan.webhook))
    results = [scan.result() for scan in scans]
    errors = [result.error for result in results if result.is_unread]
    if errors and errors[0] and len(errors) == len(results):
        raise errors[0]
    return results


def _with_progress(hook: Hook, runtime: Runtime) -> Callable[[StatusFilter], Iterator[Page]]:
    """Return the hook's log; reading it shows progress on the console."""
    read = 0

    def log(status: StatusFilter) -> Iterator[Page]:
        nonlocal read
        for page in hook.pages(status, planning=True):
            read += len(page.rows)
            runtime.console.progress(f"Deliveries read of {hook.webhook.name}:", read, None)
            yield page

    return log
