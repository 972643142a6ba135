"""Print nothing unless a run has warnings or errors: then these, and the events concerned.

This is for cron, which mails all that a run prints.
"""

from itertools import islice
from typing import Self

from redeliver.cli.terminal import Screen
from redeliver.reporting import log_lines, messages
from redeliver.reporting.format import count, utc
from redeliver.reporting.report import NEEDS_ATTENTION, UNRECOVERED, Report

MAX_LINES = 50
"""How many events are listed: about one screen of a mail."""


class Quiet:
    """The screen of one run: nothing until its first warning or error, then the report first."""

    has_bar = False

    def __init__(self, screen: Screen) -> None:
        """Show what is to be shown on `screen`."""
        self._screen = screen
        self._report: Report | None = None
        """The report that is not shown yet."""
        self.mask = screen.mask

    def __enter__(self) -> Self:
        """Do nothing: nothing is shown during the run."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Do not print a line, which is no trouble."""

    remark = detail = say

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Do not show progress."""

    def conclude(self, report: Report) -> None:
        """Keep the report for the first warning or error."""
        self._report = report

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._show_report()
        self._screen.warn(text)

    def fail(self, text: str) -> None:
        """Print an error."""
        self._show_report()
        self._screen.fail(text)

    def _show_report(self) -> None:
        """Print when the run was, what happened, and each event that needs attention."""
        if self._report is None:
            return
        report, self._report = self._report, None
        self._screen.say(f"Run of {utc(report.window.now)}: {messages.headline(report)}")
        kinds = (*NEEDS_ATTENTION, *UNRECOVERED)
        for row in islice(report.rows(*kinds), MAX_LINES):
            self._screen.say(log_lines.outcome(row, name_webhook=True))
        if (more := report.count(*kinds) - MAX_LINES) > 0:
            self._screen.say(f"{count(more, 'more event')} not listed here")
