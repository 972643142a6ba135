"""The console of the command: lines; in a terminal also a progress bar and a final table."""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, Self, TextIO, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console as RichConsole
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from redeliver.cli.wording import Wording
from redeliver.console import Console, ProgressLines
from redeliver.core.outcome import Outcome
from redeliver.reporting import messages
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.report import NEEDS_ATTENTION, UNRECOVERED, Report

MAX_ROWS = 50
"""The limit of the table: about one screen."""

WIDE_TERMINAL = 120
"""How many characters wide a terminal must be for all columns."""

LESS_IMPORTANT = {"Failing for", "Attempts", "Last status"}
"""The columns that are hidden in a narrower terminal."""


class Stream:
    """A text stream whose failure, such as a closed pipe or terminal, must not end the run."""

    def __init__(self, stream: TextIO | None) -> None:
        """Write to `stream`; it is None, as in `sys.stdout`, if it was closed before the start."""
        self._stream = stream
        self.is_broken = stream is None
        self.is_terminal = stream is not None and stream.isatty()
        self.encoding = stream.encoding if stream else "utf-8"
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # for characters that its encoding lacks

    def print(self, line: str) -> None:
        """Write a line and flush it."""
        self.write(f"{line}\n")
        self.flush()

    def write(self, text: str) -> None:
        """Write text, as rich does."""
        with self._unless_broken() as stream:
            stream.write(text)

    def flush(self) -> None:
        """Flush what was written."""
        with self._unless_broken() as stream:
            stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal, as rich asks."""
        return self.is_terminal

    @contextmanager
    def _unless_broken(self) -> Iterator[TextIO]:
        if self._stream is None or self.is_broken:
            yield io.StringIO()  # which nobody reads
            return
        try:
            yield self._stream
        except OSError:
            self.is_broken = True
            # Otherwise Python would flush the stream again at exit, and fail.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)

    def console(self) -> RichConsole:
        """Return a console of rich for this stream, which does not interpret markup."""
        # Of a file, rich uses only these methods and `encoding`.
        return RichConsole(file=cast("TextIO", self), markup=False, emoji=False, highlight=False)


class Screen(Console, Protocol):
    """The console of the command. The run is in its block; what is said at the end comes later."""

    has_bar: bool
    """Whether progress is a bar, and not lines that stay."""

    def __enter__(self) -> Self:
        """Prepare for the run."""
        ...

    def __exit__(self, *_exception: object) -> None:
        """Remove what is shown only during the run."""
        ...

    def conclude(self, report: Report) -> None:
        """Show the report."""
        ...

    def warn(self, text: str) -> None:
        """Print a warning on standard error."""
        ...

    def fail(self, text: str) -> None:
        """Print an error on standard error."""
        ...


def screen_for(out: Stream, errors: Stream, wording: Wording) -> Screen:
    """Return the screen for these streams; `wording` is applied to all it shows."""
    if out.is_terminal and errors.is_terminal:
        return Live(out, errors, wording)
    return Lines(out, errors, wording)


class _Ending:
    """Prints the warnings and errors of every screen."""

    def __init__(self, errors: Stream, wording: Wording) -> None:
        self._standard_error = errors
        self._wording = wording

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._standard_error.print(self._wording(f"Warning: {text}"))

    def fail(self, text: str) -> None:
        """Print an error."""
        self._standard_error.print(self._wording(f"Error: {text}"))


class Lines(_Ending):
    """Plain lines, for a log or a mail."""

    has_bar = False

    def __init__(self, out: Stream, errors: Stream, wording: Wording) -> None:
        super().__init__(errors, wording)
        self._out = out
        self.mask = wording.hide
        self.remark = self.detail = self.say
        self.progress = ProgressLines(self.say)

    def __enter__(self) -> Self:
        """Do nothing: lines need no preparation."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Do nothing: the lines stay."""

    def say(self, line: str) -> None:
        """Print a line."""
        self._out.print(self._wording(line))

    def conclude(self, report: Report) -> None:
        """Print the headline of the report."""
        self.say(_headline(report))


class Live(_Ending):
    """Lines above a progress bar, and a table at the end."""

    has_bar = True

    def __init__(self, out: Stream, errors: Stream, wording: Wording) -> None:
        super().__init__(errors, wording)
        self._out = out.console()
        self._errors = errors.console()
        self.mask = wording.hide
        self.remark = self.detail = self.say
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            console=self._errors,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._what = ""
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._errors.print(self._wording(line), soft_wrap=True)

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Update the bar; there is one bar, for the current step."""
        count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        if self._task is None or what != self._what:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._what, self._task = what, self._bar.add_task(self._wording(what), count=count)
        self._bar.update(self._task, total=total, completed=done, count=count)

    def conclude(self, report: Report) -> None:
        """Show the events in a table, those that need attention first."""
        self._bar.stop()
        rows = list(islice(report.rows(), MAX_ROWS))
        if rows:
            self._out.print(self._table(rows, several=len(report.scans) > 1))
        if report.failed > MAX_ROWS:
            self._print(f"The lines above have {report.failed - MAX_ROWS:,} more events")
        self._print(_headline(report))
        if rows:  # without rows, the headline says the same
            self._print(messages.closing(report))

    def _table(self, rows: Sequence[EventRow], *, several: bool) -> Table:
        table = Table(box=SIMPLE_HEAD, show_edge=False)
        hidden = set() if self._out.width >= WIDE_TERMINAL else LESS_IMPORTANT
        columns = [name for name in rows[0].cells if name not in hidden]
        if not several:
            columns.remove("Webhook")
        for name in columns:
            # A GUID is never wrapped, so that it can be searched for and copied.
            table.add_column(name, overflow="fold", no_wrap=name == "GUID")
        for row in rows:
            # Text, because rich would interpret markup in a string.
            cells = row.cells
            texts = (Text(self._wording(cells[name])) for name in columns)
            table.add_row(*texts, style=_style(row.outcome))
        return table

    def _print(self, line: str) -> None:
        self._out.print(self._wording(line), soft_wrap=True)


def _headline(report: Report) -> str:
    headline = messages.headline(report)
    return headline[:1].upper() + headline[1:]


def _style(outcome: Outcome) -> str:
    if outcome in NEEDS_ATTENTION:
        return "red"
    if outcome in UNRECOVERED:
        return "yellow"
    return "green" if outcome is Outcome.RECOVERED else ""
