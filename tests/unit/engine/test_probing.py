"""Which events show whether a receiver is down, and what is said if all of these fail."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.outcome import EventResult, Outcome, Results
from redeliver.core.window import Window
from redeliver.engine.probing import choose_probes, why_down
from tests.support.builders import NOW, WEBHOOK, a_decision, a_delivery


def due(*attempts: int) -> Results:
    """Return events to redeliver that had these numbers of attempts, in the order of requests."""
    results = Results()
    for number, tried in enumerate(attempts):
        decision = replace(a_decision(a_delivery(f"event-{number}")), attempts=tried)
        results[decision.key] = EventResult.not_yet_requested(decision)
    return results


def a_window_at(phase: float) -> Window:
    """Return the window of a run that has its place in the rotation."""
    window = Window.starting(None, now=NOW, lookback=timedelta(hours=24))
    for hours in range(62):
        window = replace(window, now=NOW + timedelta(hours=hours))
        if window.phase == phase:
            return window
    raise ValueError(phase)


def chosen(results: Results, number: int, phase: float = 0) -> list[str]:
    probes = choose_probes(results, number, a_window_at(phase))
    return [key.guid.removeprefix("event-") for key in probes[WEBHOOK]]


@pytest.mark.parametrize(
    ("number", "phase", "least_tried", "in_order"),
    [
        (1, 0, ["7"], []),
        (1, 0.5, [], ["0"]),
        (2, 0, ["7"], ["0"]),
        (2, 0.5, ["7"], ["0"]),
        (3, 0, ["6", "7"], ["0"]),
        (3, 0.5, ["7"], ["0", "1"]),
        (4, 0, ["6", "7"], ["0", "1"]),
        (5, 0, ["5", "6", "7"], ["0", "1"]),
        (5, 0.5, ["6", "7"], ["0", "1", "2"]),
    ],
)
def test_half_of_the_probes_are_the_least_tried_events(
    number: int, phase: float, least_tried: list[str], in_order: list[str]
) -> None:
    """The last of these eight events has been tried once, the one before it twice, and so on."""
    probes = chosen(due(8, 7, 6, 5, 4, 3, 2, 1), number, phase)

    assert (sorted(probes[: len(least_tried)]), probes[len(least_tried) :]) == (
        least_tried,
        in_order,
    )


def test_of_equally_tried_events_the_last_is_among_the_probes() -> None:
    """Two of the four probes are the least tried, and the others are next in order."""
    assert chosen(due(3, 3, 3, 3, 1, 2, 2, 2), 4) == ["4", "7", "0", "1"]


@pytest.mark.parametrize(
    ("number", "because"),
    [
        (1, "the probe failed, so the receiver seems to be down"),
        (2, "all 2 probes failed, so the receiver seems to be down"),
    ],
)
def test_a_receiver_is_down_if_all_probes_fail(number: int, because: str) -> None:
    results = due(*[1] * number)
    for key, result in results.items():
        results[key] = replace(result, outcome=Outcome.STILL_FAILING)

    assert why_down(results, list(results)) == because
