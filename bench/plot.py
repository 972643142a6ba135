"""Draw how the duration of a run grows with the number of deliveries and of failures."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from bench.cases import Program
from bench.page import Result

COLOURS = {Program.REDELIVER: "#1a7f37", Program.SCRIPT: "#cf222e"}
NAMES = {Program.REDELIVER: "redeliver", Program.SCRIPT: "the docs' script"}

# Equal results make equal files, and labels are text instead of paths.
mpl.rcParams.update({"svg.hashsalt": "redeliver", "svg.fonttype": "none"})


def draw(
    path: Path,
    *,
    by_deliveries: Sequence[tuple[int, Result]],
    by_failures: Sequence[tuple[int, Result]],
) -> None:
    """Write an SVG with two graphs side by side."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, by_deliveries, "deliveries, 8 of them failed")
    _draw(right, by_failures, "failures among 2,000 deliveries")
    left.xaxis.set_major_locator(MultipleLocator(5000))
    left.xaxis.set_major_formatter("{x:,.0f}")
    left.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def _draw(axes: Axes, points: Sequence[tuple[int, Result]], label: str) -> None:
    for program in Program:
        seconds = [result.seconds(program) for _, result in points]
        axes.plot(
            [count for count, _ in points],
            seconds,
            marker="o",
            color=COLOURS[program],
            label=NAMES[program],
        )
    axes.set_xlabel(label)
    axes.set_ylabel("seconds")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
