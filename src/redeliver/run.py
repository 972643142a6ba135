"""One run: read the logs, decide, redeliver, verify, move the checkpoint."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from redeliver import report
from redeliver.crew import Crew
from redeliver.delivery import Delivery, Listed
from redeliver.errors import Interrupted, RateLimitError
from redeliver.plan import Plan, Reading, Terms, Window
from redeliver.ports import Hook, Store, Surroundings
from redeliver.reading import read
from redeliver.report import Report
from redeliver.work import Work


def run(hooks: Sequence[Hook], store: Store, around: Surroundings, terms: Terms) -> Report:
    """Redeliver what failed since the checkpoint, and move it as far as that allows.

    Raise `RedeliverError` or `Interrupted` when that ends before the first redelivery; later
    trouble is told by the report.
    """
    saved = store.read()
    window = Window.starting(saved, now=around.clock(), lookback=terms.lookback)
    around.say(report.opening(store.name, window, terms.scan))
    unseen = window.unseen(terms.retention)
    if unseen:  # now, for a run that is killed later leaves only its log
        around.say(f"Warning: {report.may_be_unseen(unseen)}")
    planned = Plan.of(_read_all(hooks, around, window, terms), terms.policy)
    interrupted = None
    with Crew[int](around.workers) as crew:
        work = Work(hooks, store, around, crew, window=window, planned=planned, terms=terms)
        if terms.dry_run:
            work.tell_all()
        else:
            try:
                work.carry_out()
            except Interrupted as stop:
                interrupted = stop.signal
                work.save_at_last()
    result = Report(
        store=store.name,
        terms=terms,
        window=window,
        readings=planned.readings,
        outcomes=tuple(work.outcomes),
        checkpoint=work.checkpoint if store.name else None,
        trouble=tuple(work.trouble),
        limit=work.limit,
        unverified=dict(work.unverified),
        interrupted=interrupted,
    )
    around.say(report.closing(result))
    return result


def _read_all(
    hooks: Iterable[Hook], around: Surroundings, window: Window, terms: Terms
) -> list[Reading]:
    """Read every log, or raise if not one of them can be read."""
    readings: list[Reading] = []
    for hook in hooks:
        latest = readings[-1] if readings else None
        if latest and isinstance(latest.error, RateLimitError):
            # It would be the same, and GitHub holds against a client what it asks regardless.
            reading = replace(latest, webhook=hook.webhook, scanned=0, decisions=(), unclassified=0)
        else:
            reading = read(hook.webhook, _counted(hook, around), window, terms.policy, terms.scan)
        around.say(report.found(reading))
        readings.append(reading)
    errors = [reading.error for reading in readings if reading.is_unread]
    if errors and errors[0] and len(errors) == len(readings):
        raise errors[0]
    return readings


def _counted(hook: Hook, around: Surroundings) -> Callable[[Listed], Iterator[Delivery]]:
    """Give the hook's log, and show how much of it was read."""
    numbers = itertools.count(1)

    def log(listed: Listed) -> Iterator[Delivery]:
        for delivery, number in zip(hook.deliveries(listed), numbers, strict=False):
            around.progress(f"Reading {hook.webhook.name}: deliveries", number, None)
            yield delivery

    return log
