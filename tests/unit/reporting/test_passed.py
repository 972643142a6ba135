"""What a run says about failures that the checkpoint passes without a redelivery."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from redeliver.cli.wording import in_flags
from redeliver.core.decision import Verdict
from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting import messages, passed
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from tests.support.builders import (
    DRY_RUN,
    NOW,
    OPTIONS,
    a_decision,
    a_delivery,
    a_policy,
    a_report,
    a_result,
    a_window,
    ago,
)

BY_HAND = replace(OPTIONS, by_hand=True)
ONCE = "Once the checkpoint has passed these events, no later run that uses it redelivers them"
IN_A_DRY_RUN = (
    "Once the checkpoint of a real run has passed these events, no later run that uses it "
    "redelivers them"
)
PASSED = "The checkpoint has passed these events, so no later run that uses it redelivers them"


def filtered(
    *, verdict: Verdict = Verdict.UNWANTED_EVENT, at: datetime | None = None
) -> EventResult:
    decision = a_decision(a_delivery(at=at or ago(hours=1)), verdict=verdict)
    return EventResult(decision=decision, outcome=Outcome.FILTERED, because=verdict.value)


def by_hand(*results: EventResult, checkpoint: datetime | None = NOW) -> Report:
    return replace(a_report(*results), options=BY_HAND, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("store", "dry_run", "expected"),
    [
        pytest.param("variable X of acme/ops", False, ONCE, id="a real run"),
        pytest.param("variable X of acme/ops", True, IN_A_DRY_RUN, id="a dry run"),
        pytest.param("", False, "", id="no checkpoint"),
        pytest.param("", True, "", id="a dry run without a checkpoint"),
    ],
)
def test_a_run_says_what_happens_to_excluded_events(
    store: str, expected: str, *, dry_run: bool
) -> None:
    assert passed.note_on_filtered(store, dry_run=dry_run) == expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(a_report(filtered(), filtered()), PASSED, id="all have been passed"),
        pytest.param(
            a_report(filtered(), filtered(at=ago(minutes=10))), ONCE, id="some have been passed"
        ),
        pytest.param(replace(a_report(filtered()), checkpoint=None), ONCE, id="nothing was saved"),
        pytest.param(
            replace(a_report(filtered()), checkpoint=None, options=DRY_RUN),
            IN_A_DRY_RUN,
            id="a dry run",
        ),
    ],
)
def test_the_summary_says_what_happens_to_excluded_events(report: Report, expected: str) -> None:
    _, _, after = summary(report).partition("#### Filtered out\n")

    assert f"excluded by 'events' |\n\n{expected}.\n\n" in after


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(a_report(a_result()), id="no event was excluded"),
        pytest.param(
            replace(a_report(filtered()), checkpoint=None, store=""), id="no checkpoint is kept"
        ),
    ],
)
def test_the_summary_says_nothing_of_excluded_events_if(report: Report) -> None:
    assert "passed these events" not in summary(report)


def test_a_run_by_hand_warns_of_events_that_it_excluded() -> None:
    (warning,) = messages.warnings(by_hand(filtered(), filtered()))

    assert warning == (
        "this run was started by hand, and filtered out 2 failed events with 'events'. The "
        "checkpoint in variable LAST_REDELIVERY of acme/ops has passed them, so no later run with "
        "this checkpoint redelivers them. To redeliver them, run once without 'events', with "
        "'since' set to 3d. Start that run at least 16 minutes after the last run that redelivered "
        "(sooner, events may be delivered twice). Next time, set 'since' if you start a run by "
        "hand with other filters than the scheduled runs have: then it moves no checkpoint"
    )


def test_the_warning_names_each_filter_and_its_own_range() -> None:
    policy = a_policy(give_up_after=timedelta(hours=36))
    report = by_hand(filtered(verdict=Verdict.UNWANTED_STATUS))
    both = by_hand(filtered(verdict=Verdict.UNWANTED_STATUS), filtered())
    other = by_hand(filtered(verdict=Verdict.UNWANTED_REPOSITORY))

    (one,) = messages.warnings(replace(report, options=replace(BY_HAND, policy=policy)))
    (two,) = messages.warnings(both)
    (third,) = messages.warnings(other)

    assert "1 failed event with 'skip-status-codes'. The" in one
    assert (
        "has passed it, so no later run with this checkpoint redelivers it. To redeliver it, run"
        in one
    )
    assert "'since' set to 36h. " in one
    assert "2 failed events with 'events' and 'skip-status-codes'. The" in two
    assert "To redeliver it, run once without 'repositories', with 'since'" in third


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(replace(by_hand(filtered()), options=OPTIONS), id="a schedule started it"),
        pytest.param(by_hand(a_result(Outcome.RECOVERED)), id="nothing was filtered out"),
        pytest.param(by_hand(filtered(), checkpoint=None), id="there is no checkpoint"),
        pytest.param(
            by_hand(filtered(), checkpoint=ago(minutes=50)),
            id="the next run's window begins at the event",
        ),
        pytest.param(by_hand(filtered(), checkpoint=ago(hours=2)), id="another event holds it"),
    ],
)
def test_no_excluded_event_is_a_warning_if(report: Report) -> None:
    assert messages.warnings(report) == []


def test_only_events_that_the_checkpoint_has_passed_are_counted() -> None:
    report = by_hand(filtered(), filtered(at=ago(minutes=9)), filtered(at=ago(minutes=11)))

    (warning,) = messages.warnings(report)

    assert "filtered out 2 failed events" in warning


OLDER = tuple(a_delivery(f"older-{n}", at=ago(hours=hours)) for n, hours in enumerate((30, 52, 40)))
FOUND = (
    "GitHub's log has at least 3 events that failed from 2026-11-22 08:00:00 UTC to 2026-11-23 "
    "06:00:00 UTC. This run does not look at them, because 'lookback' is 24h. Some of them may "
    "have been delivered since by a redelivery. "
)


FIRST_RUN = replace(a_report(), window=a_window(None), older=OLDER)
"""The report of a first run that found older failures."""


@pytest.mark.parametrize(
    ("report", "advice"),
    [
        pytest.param(
            FIRST_RUN,
            "The checkpoint in variable LAST_REDELIVERY of acme/ops has passed them, so no later "
            "run with this checkpoint redelivers them. To redeliver them, run once more with "
            "'since' set to 3d. Start that run at least 16 minutes after the last run that "
            "redelivered (sooner, events may be delivered twice). That run redelivers "
            "no event that has been delivered",
            id="a first run",
        ),
        pytest.param(
            replace(FIRST_RUN, options=DRY_RUN, checkpoint=None),
            "Start the first real run with 'lookback' set to 3d, or its checkpoint passes them "
            "without a redelivery",
            id="a dry run before the first run",
        ),
        pytest.param(
            replace(FIRST_RUN, checkpoint=None),
            "Start the next run with 'lookback' set to 3d, or its checkpoint passes them without a "
            "redelivery",
            id="a first run that could not save its checkpoint",
        ),
        pytest.param(
            replace(FIRST_RUN, store="", checkpoint=None),
            "To redeliver them, run again with 'lookback' set to 3d. Start that run at least 16 "
            "minutes after the last run that redelivered (sooner, events may be delivered twice)",
            id="a run that keeps no checkpoint",
        ),
        pytest.param(
            replace(FIRST_RUN, store="", checkpoint=None, options=DRY_RUN),
            "To redeliver them, run again with 'lookback' set to 3d",
            id="a dry run that keeps no checkpoint",
        ),
    ],
)
def test_older_failures_are_a_warning_with_advice_after(report: Report, advice: str) -> None:
    assert messages.warnings(report) == [FOUND + advice]
    assert report.status == 0


def test_a_single_older_failure_is_named_as_one() -> None:
    (warning,) = messages.warnings(replace(FIRST_RUN, older=OLDER[:1]))

    assert warning.startswith(
        "GitHub's log has at least 1 event that failed at 2026-11-23 06:00:00 UTC. This run does "
        "not look at it, because 'lookback' is 24h. It may have been delivered since by a "
        "redelivery. The checkpoint in variable LAST_REDELIVERY of acme/ops has passed it, so no "
        "later run with this checkpoint redelivers it. To redeliver it, run once more "
    )


def test_the_advice_reaches_as_far_back_as_github_keeps_the_log() -> None:
    week = replace(
        OPTIONS, retention=timedelta(days=7), policy=a_policy(give_up_after=timedelta(days=30))
    )

    (warning,) = messages.warnings(replace(FIRST_RUN, options=week))

    assert "with 'since' set to 7d. " in warning


def test_the_command_names_flags_in_the_advice() -> None:
    advice = "\n".join(
        in_flags(text)
        for report in (FIRST_RUN, replace(FIRST_RUN, store=""), by_hand(filtered()))
        for text in messages.warnings(report)
    )

    assert "run once more with --since set to 3d" in advice
    assert "run again with --lookback set to 3d" in advice
    assert "because --lookback is 24h" in advice
    assert "run once without --events" in advice
    assert "'lookback'" not in advice
