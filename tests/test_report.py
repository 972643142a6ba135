from dataclasses import replace
from datetime import datetime, timedelta
from signal import Signals

import pytest

from redeliver import report
from redeliver.outcome import Fate, Outcome
from redeliver.plan import Plan, Verdict
from redeliver.report import SUMMARY_ROWS, Report
from tests.builders import NOW, a_decision, a_delivery, a_window, ago


def an_outcome(
    fate: Fate = Fate.REDELIVERED,
    *,
    guid: str = "guid-1",
    event: str = "push",
    status: str = "timed out",
    because: str = "",
) -> Outcome:
    delivery = a_delivery(guid, event=event, status=status)
    decision = a_decision(delivery, since=ago(hours=2))
    return Outcome(decision=decision, fate=fate, because=because)


def a_report(*outcomes: Outcome) -> Report:
    return Report(
        hook="webhook 1 of organization acme",
        store="variable LAST_REDELIVERY of acme/ops",
        window=a_window(),
        dry_run=False,
        scanned=230,
        outcomes=outcomes,
        checkpoint=NOW,
    )


ONE_OF_EACH = tuple(an_outcome(fate) for fate in Fate)


def test_the_outputs_count_events_and_carry_the_checkpoint() -> None:
    assert report.outputs(a_report(*ONE_OF_EACH)) == {
        "scanned": "230",
        "failed": "9",
        "redelivered": "1",
        "refused": "2",
        "deferred": "4",
        "given-up": "1",
        "checkpoint": "1795521600000",
    }


def test_without_a_store_there_is_no_checkpoint() -> None:
    kept_nowhere = replace(a_report(), store="", checkpoint=None)

    assert report.outputs(kept_nowhere)["checkpoint"] == ""
    assert report.closing(kept_nowhere).startswith("No checkpoint is kept")
    assert "no checkpoint is kept" in report.opening("webhook 1", "", a_window(None))


def test_the_summary_of_a_run_with_nothing_to_do_reads_well() -> None:
    assert report.summary(a_report()) == (
        "### redeliver: nothing to redeliver\n"
        "\n"
        "Read 230 deliveries of webhook 1 of organization acme, "
        "to find what failed from 2026-11-24 05:50:00 UTC to 2026-11-24 12:00:00 UTC.\n"
        "\n"
        "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run.\n"
    )


def test_the_summary_puts_what_needs_attention_first() -> None:
    done = an_outcome(guid="done", event="issues")
    refused = an_outcome(Fate.REFUSED, guid="refused", because="GitHub answered 422, Nope")

    summary = report.summary(replace(a_report(done, refused), checkpoint=ago(hours=1)))

    assert summary == (
        "### redeliver: 2 events failed: 1 redelivered, 1 refused\n"
        "\n"
        "> **Failed:** of 2 events that failed&#58; 1 refused. The step's log says why for "
        "each&#59; the next run sees to them\n"
        "\n"
        "Read 230 deliveries of webhook 1 of organization acme, "
        "to find what failed from 2026-11-24 05:50:00 UTC to 2026-11-24 12:00:00 UTC.\n"
        "\n"
        "| Event | GUID | Failing for | Attempts | Last status | Outcome |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| <code>push</code> | <code>refused</code> | 2 h 0 min | 3 | timed out, 504 "
        "| refused: GitHub answered 422, Nope |\n"
        "| <code>issues</code> | <code>done</code> | 2 h 0 min | 3 | timed out, 504 "
        "| redelivered |\n"
        "\n"
        "Checkpoint saved: 2026-11-24 11:00:00 UTC, the oldest failure not dealt with: "
        "the next run looks at it again.\n"
    )


def test_a_dry_run_says_so() -> None:
    dry = replace(a_report(an_outcome(Fate.DUE)), dry_run=True)

    assert "dry run, 1 event failed: 1 would be redelivered" in report.summary(dry)
    assert "Dry run: nothing was redelivered" in report.closing(dry)
    assert "Dry run: nothing was redelivered" in report.closing(replace(dry, checkpoint=None))


@pytest.mark.parametrize(
    ("checkpoint", "told"),
    [
        (NOW, "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run"),
        (ago(minutes=-3), "Checkpoint saved: 2026-11-24 12:03:00 UTC, the start of this run"),
        (ago(hours=1), "Checkpoint saved: 2026-11-24 11:00:00 UTC, the oldest failure not dealt"),
        (ago(hours=6), "Checkpoint stays at 2026-11-24 06:00:00 UTC: the next run looks at all"),
    ],
)
def test_where_the_checkpoint_stands_is_told_as_it_is(checkpoint: datetime, told: str) -> None:
    assert report.closing(replace(a_report(), checkpoint=checkpoint)).startswith(told)


def test_the_summary_stays_under_githubs_limit_and_says_what_is_missing() -> None:
    worst = an_outcome(
        Fate.REFUSED, guid="|" * 999, event="<" * 999, status="[" * 999, because="`" * 999
    )

    summary = report.summary(a_report(*[worst] * (SUMMARY_ROWS + 7)))

    assert len(summary.encode()) < 2**20
    assert "And 7 more, in the log." in summary
    assert summary.count("\n| <code>") == SUMMARY_ROWS


def test_no_row_of_the_summary_can_be_broken_from_outside() -> None:
    hostile = "a|b\n| <img src=x> `c` **d** [e](https://evil.example)"
    outcome = an_outcome(guid=hostile, event=hostile, status=hostile, because=hostile)

    (row,) = [line for line in report.summary(a_report(outcome)).splitlines() if "<code>" in line]

    assert row.count("|") == 7
    assert "evil" not in row
    assert "<img" not in row


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        ([], "Read 230 deliveries: nothing to redeliver"),
        ([Verdict.REDELIVER], "Read 230 deliveries: 1 event failed"),
        (
            [Verdict.REDELIVER, Verdict.TOO_OLD, Verdict.DELIVERED],
            "Read 230 deliveries: 2 events failed; failed but delivered since: 1",
        ),
        (
            [Verdict.DELIVERED],
            "Read 230 deliveries: nothing to redeliver; failed but delivered since: 1",
        ),
    ],
)
def test_what_was_found_is_told(decisions: list[Verdict], told: str) -> None:
    plan = Plan(
        scanned=230,
        decisions=tuple(replace(a_decision(), verdict=verdict) for verdict in decisions),
    )

    assert report.found(plan) == told


def test_a_status_shows_its_code_once() -> None:
    shown = report.line(an_outcome(status="Invalid HTTP Response: 504"), NOW)

    assert "last status Invalid HTTP Response: 504)" in shown
    assert "last status none, 504)" in report.line(an_outcome(status=""), NOW)
    assert "last status 15042 ms, 504)" in report.line(an_outcome(status="15042 ms"), NOW)


def test_an_event_is_named_with_its_action() -> None:
    decision = an_outcome().decision
    opened = replace(decision.delivery, event="issues", action="opened")

    told = report.line(Outcome(decision=replace(decision, delivery=opened), fate=Fate.DUE), NOW)

    assert told.startswith("Would be redelivered: issues.opened guid-1 (delivery ")


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=12, seconds=3), "12 min"),
        (timedelta(hours=5, minutes=3), "5 h 3 min"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_an_age_is_told_in_its_largest_units(span: timedelta, told: str) -> None:
    assert report.age(span) == told


def test_what_needs_attention_comes_first_and_what_was_done_last() -> None:
    shown = [o.fate for o in ONE_OF_EACH if o.fate is not Fate.DELIVERED]

    rows = [row for row in report.summary(a_report(*ONE_OF_EACH)).splitlines() if "<code>" in row]

    order = [row.split(" | ")[-1].rstrip("| ") for row in rows]
    attention = ["refused", "unanswered", "not decided"]
    assert sorted(order) == sorted(fate.value for fate in shown)
    assert order[:3] == attention
    assert order[-2:] == ["redelivered", "would be redelivered"]


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.UNANSWERED, Fate.UNREAD])
def test_a_run_fails_over(fate: Fate) -> None:
    done = a_report(an_outcome(fate))

    assert done.status == 1
    assert done.problem
    assert done.problem.startswith(f"of 1 event that failed: 1 {fate.value}. ")


@pytest.mark.parametrize(
    "fate", [fate for fate in Fate if fate not in {Fate.REFUSED, Fate.UNANSWERED, Fate.UNREAD}]
)
def test_a_run_does_not_fail_over(fate: Fate) -> None:
    assert a_report(an_outcome(fate)).status == 0


def test_trouble_is_why_a_run_fails() -> None:
    broken = replace(a_report(an_outcome()), trouble=("cannot write", "no time"))

    assert (broken.status, broken.problem) == (1, "cannot write; no time")


@pytest.mark.parametrize(("number", "status"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 143)])
def test_a_run_that_was_stopped_says_by_what(number: Signals, status: int) -> None:
    stopped = replace(a_report(an_outcome(Fate.DEFERRED)), interrupted=number)

    assert stopped.status == status
    assert stopped.problem
    assert stopped.problem.startswith(f"stopped by {number.name}. Nothing is lost")


def test_a_rate_limit_is_a_warning_that_says_until_when() -> None:
    limited = replace(a_report(an_outcome(Fate.DEFERRED)), limit="used up until 12:30:00 UTC")

    assert limited.status == 0
    assert limited.warnings == ["used up until 12:30:00 UTC"]
    assert "> **Warning:** used up until 12&#58;30&#58;00 UTC" in report.summary(limited)


def test_what_was_given_up_is_a_warning_for_each_reason() -> None:
    old, tired = Verdict.TOO_OLD.value, Verdict.EXHAUSTED.value
    outcomes = [an_outcome(Fate.GIVEN_UP, because=because) for because in (old, old, tired)]

    first, second = a_report(*outcomes).warnings

    assert first.startswith(f"2 events given up ({old}): no attempt that was read succeeded")
    assert second.startswith(f"1 event given up ({tired}): ")


def test_what_left_the_log_meanwhile_is_a_warning() -> None:
    (warning,) = a_report(an_outcome(Fate.GONE)).warnings

    assert warning.startswith("1 event could not be redelivered, having just left GitHub's log")


def test_what_may_have_left_the_log_unseen_is_a_warning_with_its_time() -> None:
    gap = replace(a_report(), unseen=(ago(hours=80), ago(hours=72)))

    (warning,) = gap.warnings

    assert warning.startswith(
        "deliveries from 2026-11-21 04:00:00 UTC to 2026-11-21 12:00:00 UTC may have left"
    )
    assert warning.split()[2] in report.summary(gap)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param(ago(minutes=6), "12:10:00", id="too soon after another"),
        pytest.param(ago(hours=6), "12:16:00", id="overtaken by another"),
    ],
)
def test_a_run_that_keeps_still_says_when_to_come_back(written: datetime, told: str) -> None:
    window = a_window(ago(hours=6), written=written)
    soon = replace(a_report(an_outcome(Fate.UNSETTLED)), window=window)

    assert report.closing(soon).endswith(f"start a run after 2026-11-24 {told} UTC")
    assert soon.warnings == [f"1 event left for a later run. {report.closing(soon)}"]
    assert report.closing(replace(soon, dry_run=True)) == report.closing(soon)


def test_a_first_run_that_saved_nothing_says_so() -> None:
    nothing = replace(a_report(an_outcome(Fate.DEFERRED)), checkpoint=None)

    assert report.closing(nothing) == (
        "No checkpoint was saved: the next run looks back as far as 'lookback' again"
    )


def test_a_summary_of_a_log_that_broke_off_does_not_claim_to_have_read_it() -> None:
    broken = replace(a_report(), broken_off="GitHub is down")

    assert (broken.status, broken.problem) == (1, "GitHub is down")
    assert "The log broke off: what is older was not read." in report.summary(broken)


def test_a_log_that_broke_off_is_told() -> None:
    plan = Plan(scanned=100, decisions=(), broken_off="GitHub is down")

    assert report.found(plan) == (
        "Read 100 deliveries: nothing to redeliver. The log broke off there: GitHub is down"
    )
