"""Hold back what a run of a loop says until the run has news."""

import re
from collections.abc import Callable
from functools import partial
from typing import Self

from redeliver.cli.terminal import Screen
from redeliver.reporting.report import Report

TIME_SPAN = re.compile(r"\b\d[\d,]* (d|h|min|s)\b")
"""A time span in a message, such as how long an event has been failing. It changes in every run."""


class News:
    """What the last runs have said, so that the next one does not say it again.

    It keeps only what the last run and the last completed run said, so it does not grow.
    """

    def __init__(self) -> None:
        self._now: set[str] = set()
        self._last: set[str] = set()
        self._completed: set[str] = set()

    def is_new(self, text: str) -> bool:
        """Remember what this run says, and return whether no other has said it just before.

        Texts that differ only in time spans are the same.
        """
        same = TIME_SPAN.sub("…", text)
        self._now.add(same)
        return same not in self._last and same not in self._completed

    def end_run(self, *, has_completed: bool) -> None:
        """Begin with the next run. A run that fails says little, so the one before counts, too."""
        self._last, self._now = self._now, set()
        if has_completed:
            self._completed = self._last


class HeldBack:
    """The screen of one run of a loop. It shows what it held back as soon as there is news."""

    def __init__(self, screen: Screen, news: News, *, heading: str) -> None:
        """Show `heading` before everything else."""
        self._screen = screen
        self._news = news
        self._heading = heading
        self._held: list[Callable[[], None]] | None = []
        """None once the run has had news."""
        self.has_bar = screen.has_bar
        self.mask = screen.mask

    def __enter__(self) -> Self:
        """Prepare for the run."""
        self._screen.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove what is shown only during the run."""
        self._screen.__exit__(*exception)

    @property
    def is_silent(self) -> bool:
        """Whether the run had no news yet."""
        return self._held is not None

    def say(self, line: str) -> None:
        """Print a line, which is news."""
        self._release()
        self._screen.say(line)

    def remark(self, line: str) -> None:
        """Print a line unless the run before has said the same."""
        if self._news.is_new(line):
            self.say(line)

    def detail(self, line: str) -> None:
        """Print a line only if the run has news."""
        self._with_news(partial(self._screen.detail, line))

    def progress(self, what: str, done: int, total: int | None) -> None:
        """Show progress, but print no lines about it while there is no news."""
        if self.has_bar or not self.is_silent:
            self._screen.progress(what, done, total)

    def conclude(self, report: Report) -> None:
        """Show the report only if the run has news."""
        self._with_news(partial(self._screen.conclude, report))

    def warn(self, text: str) -> None:
        """Print a warning unless the run before has printed the same."""
        if self._news.is_new(f"Warning: {text}"):
            self._release()
            self._screen.warn(self._with_time(text))

    def fail(self, text: str) -> None:
        """Print an error unless the run before has printed the same."""
        if self._news.is_new(f"Error: {text}"):
            self._release()
            self._screen.fail(self._with_time(text))

    def sum_up(self, sentence: str) -> None:
        """Print a sentence about all runs, without what is held back."""
        if self.is_silent:
            sentence = f"{self._heading}: {sentence[:1].lower()}{sentence[1:]}"
        self._screen.say(sentence)

    def _with_time(self, text: str) -> str:
        """Put the run's time before the text: standard error does not have the heading."""
        return f"{self._heading[:1].lower()}{self._heading[1:]}: {text}"

    def _with_news(self, show: Callable[[], None]) -> None:
        if self._held is None:
            show()
        else:
            self._held.append(show)

    def _release(self) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        self._screen.say(self._heading)
        for show in held:
            show()
