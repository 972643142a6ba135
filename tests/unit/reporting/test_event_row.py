"""A failed event is described once, for the log, the summary and the JSON report."""

from dataclasses import replace

import pytest

from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting.event_row import EventRow
from tests.support.builders import NOW, a_decision, a_result, ago


def a_row(result: EventResult) -> EventRow:
    return EventRow.of(result, now=NOW, dry_run=False)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("Invalid HTTP Response: 504", "504"),
        ("", "504"),
        ("15042 ms", "504 15042 ms"),
    ],
)
def test_a_status_shows_its_code_once(status: str, shown: str) -> None:
    assert a_row(a_result(status=status)).status == shown


def test_an_event_is_named_with_its_action() -> None:
    decision = a_result().decision
    opened = replace(decision.delivery, event="issues", action="opened")
    row = a_row(EventResult(decision=replace(decision, delivery=opened), outcome=Outcome.DUE))

    assert (row.name, row.cells["Event"]) == ("issues.opened", "issues.opened")


@pytest.mark.parametrize(
    ("has_all_attempts", "attempts", "failing_for"),
    [(True, "3", "1 h 0 min"), (False, "at least 3", "at least 1 h 0 min")],
)
def test_what_is_not_known_exactly_is_a_minimum(
    *, has_all_attempts: bool, attempts: str, failing_for: str
) -> None:
    decision = a_decision(since=ago(hours=1), has_all_attempts=has_all_attempts)
    cells = a_row(EventResult(decision=decision, outcome=Outcome.GIVEN_UP)).cells

    assert (cells["Attempts"], cells["Failing for"]) == (attempts, failing_for)
