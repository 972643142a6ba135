"""Times, and how the page writes them.

Pure: numbers and text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median


@dataclass(frozen=True, slots=True)
class Times:
    """The seconds of several runs of the same thing."""

    seconds: Sequence[float]

    @property
    def median(self) -> float:
        """The median."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """How much longer the longest took than the shortest."""
        return max(self.seconds) - min(self.seconds)

    def __str__(self) -> str:
        """Return the median, with the shortest and the longest."""
        return f"{format_seconds(self.median)} ({self._range})"

    @property
    def _range(self) -> str:
        if len(self.seconds) == 1:
            return "one run"
        ends = f"{rounded(min(self.seconds))} to {rounded(max(self.seconds))}"
        return f"{ends}; {len(self.seconds)} runs"


def rounded(seconds: float) -> Decimal:
    """Return a time as the page shows it: with three digits, but with all digits of the seconds."""
    decimals = max(3 - len(str(int(seconds))), 0)
    return Decimal(f"{seconds:.{decimals}f}")


def format_seconds(seconds: float) -> str:
    """Return a time as text."""
    return f"{rounded(seconds)} s"
