"""The lines that a run logs while it works."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from redeliver.core.decision import Verdict
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import Outcome
from redeliver.core.policy import ScanMode, format_duration
from redeliver.core.repository_filter import RepositoryFilter
from redeliver.core.scan import ScanResult
from redeliver.core.window import OVERLAP, Window
from redeliver.errors import RedeliverError
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.format import count, is_or_are, minutes, utc
from redeliver.reporting.limits import MAX_LINES
from redeliver.reporting.passed import FILTERS

UNCLASSIFIED = "no status code from 400 to 599, so 'scan: failures' could miss them"
"""Describes failed events that GitHub's own filter for failures does not list."""


AGAIN = "an earlier run may have requested it already, and GitHub's log shows no attempt since"
"""Why a run requests the redelivery of an event that an earlier run has seen."""


def opening(store: str, window: Window, mode: ScanMode) -> str:
    """Say what the run is going to read."""
    listed = "failed deliveries" if mode is ScanMode.FAILURES else "all deliveries"
    reading = f"Reading {listed} since {utc(window.since)}"
    if window.saved:
        return (
            f"Checkpoint: {utc(window.checkpoint)}, in {store}. {reading}, {minutes(OVERLAP)} "
            "earlier, because GitHub's log can show deliveries late"
        )
    none = f"There is no checkpoint yet in {store}" if store else "No checkpoint is kept"
    return f"{none}. {reading}, 'lookback' ({format_duration(window.now - window.since)}) ago"


def repositories(chosen: RepositoryFilter) -> str:
    """Say which repositories' events the run redelivers, or which ones it leaves out."""
    named = [f"{name} (id {id_})" if name else f"id {id_}" for id_, name in chosen.names.items()]
    listed = ", ".join(named[:MAX_LINES])
    if len(named) > MAX_LINES:
        listed += f", and {len(named) - MAX_LINES:,} more"
    which = "All events except those" if chosen.excludes else "Only events"
    return f"{which} of these repositories: {listed}"


def scanned(scan: ScanResult, *, note_on_filtered: str = "") -> str:
    """Say what was read of a webhook's log, and what was decided.

    `note_on_filtered` says what happens to events that are filtered out.
    """
    if scan.is_unread:
        name = scan.webhook.name
        return f"Could not read the delivery log of {name}. The error is at the end of this log"
    verdicts = Counter(decision.verdict for decision in scan.decisions)
    delivered = verdicts.pop(Verdict.DELIVERED, 0)
    filtered = {verdict.value: verdicts.pop(verdict, 0) for verdict in FILTERS}
    again = sum(d.was_delivered for d in scan.decisions if d.verdict is not Verdict.DELIVERED)
    failed = verdicts.total() - again
    parts = [f"{count(failed, 'event')} failed"] if failed else []
    if again:
        parts.append(f"{count(again, 'event')} had been delivered before")
    parts = parts or ["nothing to redeliver"]
    if scan.unclassified:
        parts[0] += f" ({scan.unclassified} with {UNCLASSIFIED})"
    more = "more " if failed else ""
    if delivered:
        have = "has" if delivered == 1 else "have"
        parts.append(f"{delivered} {more}failed at first, but {have} been delivered since")
    parts += [
        f"{number} {more}{is_or_are(number)} {why}" for why, number in filtered.items() if number
    ]
    read = f"Read {count(scan.scanned, 'delivery', 'deliveries')} of {scan.webhook.name}"
    if scan.unreadable:
        read += f", and skipped {count(len(scan.unreadable), 'row')} that could not be read"
    consequence = f". {note_on_filtered}" if note_on_filtered and any(filtered.values()) else ""
    end = f". Then reading stopped: {scan.error}" if scan.error else ""
    return f"{read}: {'; '.join(parts)}{consequence}{end}"


def not_read_further(webhook: Webhook, failed: Webhook) -> str:
    """Say that a webhook's log is not read further, because reading another one failed."""
    return f"Not reading further deliveries of {webhook.name}, because reading {failed.name} failed"


def not_looked_further_back(names: Sequence[str], error: RedeliverError | None) -> str:
    """Say that it is unknown whether the logs of these webhooks have older failures."""
    why = error or "the log could not be read"
    return (
        f"Could not find out whether the delivery log of {', '.join(names)} has failures that are "
        f"older than 'lookback': {why}"
    )


def probing(webhook: Webhook, *, due: int, probe: int, dry_run: bool) -> str:
    """Say that `probe` of the events due are redelivered first."""
    redelivering = "a real run would first redeliver" if dry_run else "first redelivering"
    if_failed = "If it fails" if probe == 1 else f"If all {probe} fail"
    others = "the other one is" if due - probe == 1 else f"the other {due - probe:,} are"
    return (
        f"Probe: {redelivering} {count(probe, 'event')} of {webhook.name}, of the {due:,} to "
        f"redeliver. {if_failed}, {others} deferred to the next run"
    )


def response(row: EventRow, *, name_webhook: bool) -> str:
    """Say how GitHub responded to a request to redeliver an event, or why no request was sent."""
    match row.outcome:
        case Outcome.PENDING:
            # The row's reason is true only if the run is stopped before it looks for the outcome.
            return _line("Requested", _repeated(row), name_webhook=name_webhook)
        case Outcome.UNANSWERED:
            return _line("Unconfirmed", row, name_webhook=name_webhook)
        case _:
            return outcome(row, name_webhook=name_webhook)


def outcome(row: EventRow, *, name_webhook: bool) -> str:
    """Say what the outcome of one event is."""
    row = _repeated(row) if row.outcome is Outcome.DUE else row
    return _line(row.outcome_text.capitalize(), row, name_webhook=name_webhook)


def _repeated(row: EventRow) -> EventRow:
    """Return the row with the reason why an event is requested that an earlier run has seen."""
    return replace(row, because=AGAIN if row.may_have_been_requested else "")


def _line(label: str, row: EventRow, *, name_webhook: bool) -> str:
    webhook = f"{row.webhook.name}, " if name_webhook else ""
    because = f": {row.because}" if row.because else ""
    failing = "after failing" if row.outcome is Outcome.RECOVERED else "failing"
    since = f"{failing} for {row.at_least}{row.failing_for}"
    if row.was_delivered:
        since = "delivered before"
    new = "new " if row.outcome in {Outcome.RECOVERED, Outcome.STILL_FAILING} else ""
    return (
        f"{label}: {row.name} {row.guid} "
        f"({webhook}{new}delivery {row.delivery}, {since}, "
        f"{row.at_least}{count(row.attempts, 'attempt')}, last status {row.status}){because}"
    )
