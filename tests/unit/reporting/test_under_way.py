"""What a run says of redeliveries by other runs names the run, and says when to come back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from redeliver.core.checkpoint import Claim, Ended, Mark
from redeliver.core.decision import Verdict
from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from tests.support.builders import NOW, a_decision, a_report, a_window, ago

CANNOT_WAIT = (
    "If you cannot wait, start one run with 'since'. Events whose redelivery is under way then "
    "arrive twice"
)


def unsettled(verdict: Verdict) -> EventResult:
    return EventResult(decision=a_decision(verdict=verdict), outcome=Outcome.UNSETTLED)


def a_report_after(mark: Mark, *verdicts: Verdict, written: datetime = NOW) -> Report:
    window = a_window(ago(hours=6), written=written, mark=mark)
    return replace(a_report(*map(unsettled, verdicts)), window=window)


@pytest.mark.parametrize(
    ("third", "not_shown"),
    [(Verdict.HELD, "2 of these events"), (Verdict.UNSETTLED, "them")],
    ids=["holds another event", "may have redelivered all"],
)
def test_a_run_after_one_that_has_not_ended_redelivers_nothing(
    third: Verdict, not_shown: str
) -> None:
    verdicts = (Verdict.UNSETTLED, Verdict.UNSETTLED, third)
    report = a_report_after(Claim(123), *verdicts, written=ago(minutes=6))
    come_back = (
        "As soon as the other run has ended with all outcomes known, the next run continues. After "
        "2026-11-24 12:10:00 UTC, it continues in any case"
    )

    assert messages.closing(report) == (
        f"Skipped: nothing was redelivered, and the checkpoint was not moved. {come_back}"
    )
    (warning,) = messages.warnings(report)
    assert warning == (
        "3 events deferred: the checkpoint was saved at 2026-11-24 11:54:00 UTC, but not at the "
        "end of a run: a run is still redelivering or looking for outcomes, or the run was killed, "
        "or somebody changed the checkpoint by hand. GitHub's log may not yet show redeliveries of "
        f"{not_shown}. So that nothing arrives twice, this run redelivered nothing. {come_back}. "
        f"{CANNOT_WAIT}"
    )


@pytest.mark.parametrize("others", [(), (Verdict.UNSETTLED,)], ids=["alone", "and one unsettled"])
def test_a_run_that_lost_its_claim_redelivers_nothing(others: tuple[Verdict, ...]) -> None:
    report = a_report_after(Ended(), Verdict.HELD, *others, written=ago(hours=1))

    (warning,) = messages.warnings(report)
    assert (
        "deferred: another run has saved the checkpoint since this one read it, and may have "
        f"redelivered {'them' if others else 'it'}. So that nothing arrives twice, this run "
        "redelivered nothing. "
    ) in warning
    assert "After 2026-11-24 12:16:00 UTC, it continues in any case" in messages.closing(report)


@pytest.mark.parametrize(("number", "them"), [(1, "it"), (3, "them")])
def test_a_run_says_which_outcomes_are_unknown(number: int, them: str) -> None:
    mark = Ended((ago(minutes=5),))

    report = a_report_after(mark, *[Verdict.UNSETTLED] * number, written=ago(minutes=6))

    (warning,) = messages.warnings(report)
    assert warning == (
        f"{number} event{'s' if number > 1 else ''} deferred: a run did not see the outcomes of "
        "all redeliveries that it requested between 2026-11-24 11:50:00 UTC and 2026-11-24 "
        f"11:55:00 UTC. It may have redelivered {them}. The first run after 2026-11-24 12:11:00 "
        f"UTC redelivers {them} unless GitHub's log shows a success by then. {CANNOT_WAIT}"
    )
    assert not messages.closing(report).startswith("Skipped")


def test_a_dry_run_says_what_a_real_run_would_say() -> None:
    report = a_report_after(Claim(123), Verdict.UNSETTLED, written=NOW - timedelta(minutes=6))
    dry = replace(report, options=replace(report.options, dry_run=True))

    assert messages.closing(dry) == messages.closing(report)
    assert messages.warnings(dry) == messages.warnings(report)


def test_a_locked_file_excludes_that_another_run_is_redelivering() -> None:
    report = a_report_after(Claim(123), Verdict.UNSETTLED, written=ago(minutes=6))
    report = replace(report, is_shared=False)

    (warning,) = messages.warnings(report)
    assert "at the end of a run: the run was killed, or somebody changed the checkpoint" in warning
    assert CANNOT_WAIT in warning
    assert messages.closing(report) == (
        "Skipped: nothing was redelivered, and the checkpoint was not moved. The first run after "
        "2026-11-24 12:10:00 UTC continues"
    )
