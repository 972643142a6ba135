"""The lines of the log say what the run does, and what happens to each event."""

from dataclasses import replace

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.delivery import RepositoryId
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import ScanMode
from redeliver.core.repository_filter import RepositoryFilter
from redeliver.errors import UnavailableError
from redeliver.reporting import log_lines
from redeliver.reporting.event_row import EventRow
from tests.support.builders import (
    NOW,
    a_decision,
    a_delivery,
    a_result,
    a_scan_result,
    a_webhook,
    a_window,
    ago,
    delivered,
    repositories,
)


def outcome_line(result: EventResult, *, dry_run: bool = False, name_webhook: bool = False) -> str:
    row = EventRow.of(result, now=NOW, dry_run=dry_run)
    return log_lines.outcome(row, name_webhook=name_webhook)


def response_line(result: EventResult) -> str:
    return log_lines.response(EventRow.of(result, now=NOW, dry_run=False), name_webhook=False)


@pytest.mark.parametrize(
    ("mode", "listed"), [(ScanMode.FULL, "all"), (ScanMode.FAILURES, "failed")]
)
def test_the_opening_says_what_is_read_and_from_when_on(mode: ScanMode, listed: str) -> None:
    assert log_lines.opening("variable LAST of acme/ops", a_window(), mode) == (
        "Checkpoint: 2026-11-24 06:00:00 UTC, in variable LAST of acme/ops. "
        f"Reading {listed} deliveries since 2026-11-24 05:50:00 UTC, 10 min earlier, because "
        "GitHub's log can show deliveries late"
    )


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("variable LAST of acme/ops", "There is no checkpoint yet in variable LAST of acme/ops"),
        ("", "No checkpoint is kept"),
    ],
)
def test_the_opening_without_a_checkpoint_says_why(store: str, why: str) -> None:
    assert log_lines.opening(store, a_window(None), ScanMode.FULL) == (
        f"{why}. Reading all deliveries since 2026-11-23 12:00:00 UTC, 'lookback' (24h) ago"
    )


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], "nothing to redeliver"),
        ([Verdict.REDELIVER], "1 event failed"),
        (
            [Verdict.REDELIVER, Verdict.TOO_OLD, Verdict.DELIVERED],
            "2 events failed; 1 more failed at first, but has been delivered since",
        ),
        (
            [
                Verdict.REDELIVER,
                Verdict.UNWANTED_EVENT,
                Verdict.UNWANTED_REPOSITORY,
                Verdict.UNWANTED_STATUS,
                Verdict.UNWANTED_STATUS,
            ],
            (
                "1 event failed; 1 more is excluded by 'events'; 1 more is excluded by "
                "'repositories'; 2 more are excluded by 'skip-status-codes'"
            ),
        ),
        ([Verdict.UNWANTED_EVENT], "nothing to redeliver; 1 is excluded by 'events'"),
        (
            [Verdict.DELIVERED, Verdict.DELIVERED],
            "nothing to redeliver; 2 failed at first, but have been delivered since",
        ),
    ],
)
def test_a_scan_is_summed_up(decisions: list[Verdict], expected: str) -> None:
    scan = a_scan_result(*(a_decision(verdict=verdict) for verdict in decisions))

    read = "Read 230 deliveries of webhook 1 of organization acme"
    assert log_lines.scanned(scan) == f"{read}: {expected}"


def test_a_scan_says_what_happens_to_filtered_events() -> None:
    lost = a_scan_result(a_decision(verdict=Verdict.UNWANTED_STATUS))
    partly_read = replace(lost, error=UnavailableError("GitHub is down"))
    without = a_scan_result(a_decision(verdict=Verdict.DELIVERED))

    assert log_lines.scanned(lost, note_on_filtered="They are lost").endswith(
        "; 1 is excluded by 'skip-status-codes'. They are lost"
    )
    assert log_lines.scanned(partly_read, note_on_filtered="They are lost").endswith(
        ". They are lost. Then reading stopped: GitHub is down"
    )
    assert "lost" not in log_lines.scanned(without, note_on_filtered="They are lost")


def test_a_scan_tells_of_events_that_the_filter_misses() -> None:
    scan = a_scan_result(a_decision(), unclassified=1)

    assert log_lines.scanned(scan).endswith(
        ": 1 event failed (1 with no status code from 400 to 599, so 'scan: failures' could "
        "miss them)"
    )


def test_an_unread_log_is_logged() -> None:
    unread = a_scan_result(scanned=0, error=UnavailableError("GitHub is down"))

    assert log_lines.scanned(unread) == (
        "Could not read the delivery log of webhook 1 of organization acme. The error is at the "
        "end of this log"
    )


def test_a_partly_read_log_is_logged() -> None:
    scan = a_scan_result(error=UnavailableError("GitHub is down"))

    assert log_lines.scanned(scan) == (
        "Read 230 deliveries of webhook 1 of organization acme: nothing to redeliver. "
        "Then reading stopped: GitHub is down"
    )


def test_a_request_that_github_accepted_is_not_yet_a_recovery() -> None:
    pending = a_result(because="the run was stopped")

    assert response_line(pending) == (
        "Requested: push guid-1 (delivery 4611686018427387905, failing for 2 h 0 min, "
        "3 attempts, last status 504 timed out)"
    )


@pytest.mark.parametrize(
    ("outcome", "label"),
    [
        (Outcome.UNANSWERED, "Unconfirmed"),
        (Outcome.REFUSED, "Refused"),
        (Outcome.DEFERRED, "Deferred"),
    ],
)
def test_another_response_is_logged_with_its_reason(outcome: Outcome, label: str) -> None:
    line = response_line(a_result(outcome, because="a reason"))

    assert line.startswith(f"{label}: push guid-1 (")
    assert line.endswith("): a reason")


def test_each_outcome_has_a_line_of_its_own() -> None:
    pending = a_result(because="GitHub's log did not show the outcome within 30 s")
    failed = a_result().verified(a_delivery(at=NOW, number=9, status_code=503, status="no"))
    recovered = a_result().verified(delivered(number=9))

    assert outcome_line(failed) == (
        "Still failing: push guid-1 (new delivery 9, failing for 2 h 0 min, 4 attempts, "
        "last status 503 no)"
    )
    assert outcome_line(recovered) == (
        "Recovered: push guid-1 (new delivery 9, after failing for 2 h 0 min, 4 attempts, "
        "last status 200 OK)"
    )
    assert outcome_line(pending).startswith("Pending: push guid-1 (")
    assert outcome_line(pending).endswith("): GitHub's log did not show the outcome within 30 s")


def test_an_age_that_is_not_known_exactly_is_a_minimum() -> None:
    decision = a_decision(since=ago(hours=2), has_all_attempts=False)

    line = outcome_line(EventResult(decision=decision, outcome=Outcome.GIVEN_UP))

    assert "failing for at least 2 h 0 min, at least 3 attempts, " in line


@pytest.mark.parametrize(
    ("probe", "numbers"),
    [
        (1, ("1 event of", "If it fails, the other 8 are")),
        (3, ("3 events of", "If all 3 fail, the other 6 are")),
    ],
)
def test_the_log_says_which_webhook_is_probed(probe: int, numbers: tuple[str, ...]) -> None:
    line = log_lines.probing(a_webhook(), due=9, probe=probe, dry_run=False)
    dry = log_lines.probing(a_webhook(), due=9, probe=probe, dry_run=True)

    assert line.startswith("Probe: first redelivering ")
    assert dry.startswith("Probe: a real run would first redeliver ")
    for each in (line, dry):
        assert " of webhook 1 of organization acme, of the 9 to" in each
        assert all(part in each for part in numbers)


@pytest.mark.parametrize("outcome", [Outcome.UNANSWERED, Outcome.UNREAD, Outcome.UNSETTLED])
def test_every_kind_of_deferred_event_is_called_deferred(outcome: Outcome) -> None:
    assert outcome_line(a_result(outcome)).startswith("Deferred: ")


def test_each_line_names_its_webhook_if_there_are_several() -> None:
    result = EventResult(decision=a_decision(webhook=a_webhook(2)), outcome=Outcome.PENDING)

    assert "(webhook 2 of organization acme, delivery " in outcome_line(result, name_webhook=True)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.DUE, "Would be redelivered"),
        (Outcome.GIVEN_UP, "Would be given up"),
        (Outcome.DEFERRED, "Would be deferred"),
        (Outcome.UNREAD, "Would be deferred"),
    ],
)
def test_a_dry_run_logs_what_would_be_done(outcome: Outcome, expected: str) -> None:
    assert outcome_line(a_result(outcome), dry_run=True).startswith(f"{expected}: ")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (
            RepositoryFilter(
                names={RepositoryId(1): "acme/shop", RepositoryId(7): ""}, excludes=False
            ),
            "Only events of these repositories: acme/shop (id 1), id 7",
        ),
        (
            repositories(2, excludes=True),
            "All events except those of these repositories: acme/repo-2 (id 2)",
        ),
    ],
)
def test_a_run_names_its_repositories(chosen: RepositoryFilter, expected: str) -> None:
    assert log_lines.repositories(chosen) == expected


def test_a_run_names_at_most_20_repositories() -> None:
    line = log_lines.repositories(repositories(*range(1, 2001)))

    assert line.endswith("acme/repo-20 (id 20), and 1,980 more")
