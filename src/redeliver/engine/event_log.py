"""Log what happens to events, a line each time."""

from datetime import datetime

from redeliver.console import Console
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import ACCEPTED, EventResult
from redeliver.reporting import log_lines
from redeliver.reporting.counts import NOT_FAILED_OUTCOMES
from redeliver.reporting.event_row import EventRow


class EventLog:
    """The lines about events in the log of one run, which started `now`."""

    def __init__(
        self, console: Console, *, now: datetime, dry_run: bool, name_webhook: bool
    ) -> None:
        self._console = console
        self._now = now
        self._dry_run = dry_run
        self._name_webhook = name_webhook

    def probe(self, webhook: Webhook, *, due: int, probe: int) -> None:
        """Log that `probe` of a webhook's events are redelivered first."""
        line = log_lines.probing(webhook, due=due, probe=probe, dry_run=self._dry_run)
        self._print(line, is_news=not self._dry_run)

    def response(self, result: EventResult) -> None:
        """Log how GitHub responded to a request, or why no request was sent."""
        self._console.say(log_lines.response(self._row(result), name_webhook=self._name_webhook))

    def outcome(self, result: EventResult) -> None:
        """Log the outcome of an event. Events that did not fail are only counted."""
        if result.outcome not in NOT_FAILED_OUTCOMES:
            line = log_lines.outcome(self._row(result), name_webhook=self._name_webhook)
            # Otherwise nothing was requested, and the next run may do the same.
            self._print(line, is_news=result.outcome in ACCEPTED)

    def _print(self, line: str, *, is_news: bool) -> None:
        if is_news:
            self._console.say(line)
        else:
            self._console.remark(line)

    def _row(self, result: EventResult) -> EventRow:
        return EventRow.of(result, now=self._now, dry_run=self._dry_run)
