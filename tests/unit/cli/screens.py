"""A screen that records what it shows."""

from typing import Self

from redeliver.reporting.report import Report
from tests.support.fakes import FakeConsole


class FakeScreen(FakeConsole):
    """A screen that records everything in `said`."""

    def __init__(self, said: list[str] | None = None, *, has_bar: bool = False) -> None:
        super().__init__(said)
        self.has_bar = has_bar
        self.is_in_block = False

    def __enter__(self) -> Self:
        self.is_in_block = True
        return self

    def __exit__(self, *_exception: object) -> None:
        self.is_in_block = False

    def conclude(self, report: Report) -> None:
        self.said.append(f"{report.failed} failed")

    def warn(self, text: str) -> None:
        self.said.append(f"Warning: {text}")

    def fail(self, text: str) -> None:
        self.said.append(f"Error: {text}")
