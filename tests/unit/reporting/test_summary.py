"""The summary in Markdown."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.decision import Verdict
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import ScanMode
from redeliver.errors import UnavailableError
from redeliver.reporting import messages
from redeliver.reporting.report import Report
from redeliver.reporting.summary import (
    failure,
    summary,
)
from tests.support.builders import (
    DRY_RUN,
    NOW,
    ONE_RESULT_OF_EACH,
    OPTIONS,
    a_decision,
    a_delivery,
    a_policy,
    a_report,
    a_result,
    a_scan_result,
    a_webhook,
    ago,
    delivered,
    failed,
    health_of,
    succeeded,
)

LIMIT = 2**20
"""Bytes; GitHub drops a summary that is longer."""


def rows(report: Report) -> list[str]:
    return [line for line in summary(report).splitlines() if line.startswith("| <code>")]


def test_a_run_without_failures_has_a_short_summary() -> None:
    assert summary(a_report()) == (
        "### redeliver: nothing to redeliver\n"
        "\n"
        "Read 230 deliveries of [webhook 1 of organization acme]"
        "(https://github.com/organizations/acme/settings/hooks/1?tab=deliveries) "
        "(scan: full) to find the failures "
        "from 2026-11-24 05:50:00 UTC to 2026-11-24 12:00:00 UTC.\n"
        "\n"
        "Checkpoint saved: 2026-11-24 12:00:00 UTC, the start of this run. "
        "The next run looks at deliveries and redeliveries that fail after that.\n"
    )


def test_a_scan_for_failures_is_named() -> None:
    report = replace(a_report(), options=replace(OPTIONS, scan=ScanMode.FAILURES))

    assert "(scan: failures) to find the failures from 2026-11-24" in summary(report)


def test_events_that_the_filter_misses_are_counted() -> None:
    report = replace(a_report(), scans=(a_scan_result(unclassified=3),))

    assert "Failed events with no status code from 400 to 599, so" in summary(report)
    assert "could miss them: 3." in summary(report)


def test_a_summary_shows_counts_and_undelivered_events() -> None:
    recovered = a_result(guid="back", event="issues").verified(delivered("back", number=9))
    refused = a_result(Outcome.REFUSED, guid="refused", because="GitHub responded 422, Nope")
    unseen = a_result(guid="unseen", event="status", because="GitHub's log did not show it")
    report = replace(a_report(recovered, refused, unseen), checkpoint=ago(hours=1))
    page = "https://github.com/organizations/acme/settings/hooks/1?tab=deliveries"

    assert summary(report) == (
        "### redeliver: 3 events failed: 1 recovered, 1 pending, 1 refused\n"
        "\n"
        "> **Error:** GitHub refused to redeliver 1 of 3 failed events. The log of this run has "
        "the reason&#59; the next run tries again\n"
        "\n"
        "| Failed | Requested | Recovered | Still failing | Pending | Given up | Refused "
        "| Deferred |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| 3 | 2 | 1 | 0 | 1 | 0 | 1 | 0 |\n"
        "\n"
        "#### Needs attention\n"
        "\n"
        "| Event | GUID | Failing for | Attempts | Last status | Outcome |\n"
        "| --- | --- | ---: | ---: | --- | --- |\n"
        f"| <code>push</code> | [<code>refused</code>]({page}) | 2 h 0 min | 3 | 504 timed out "
        "| refused: GitHub responded 422, Nope |\n"
        "\n"
        "#### Pending\n"
        "\n"
        "| Event | GUID | Failing for | Attempts | Last status | Outcome |\n"
        "| --- | --- | ---: | ---: | --- | --- |\n"
        f"| <code>status</code> | [<code>unseen</code>]({page}) | 2 h 0 min | 3 | 504 timed out "
        "| pending: GitHub's log did not show it |\n"
        "\n"
        "<details><summary>1 event recovered</summary>\n"
        "\n"
        "| Event | GUID | Failed for | Attempts | Last status | Outcome |\n"
        "| --- | --- | ---: | ---: | --- | --- |\n"
        f"| <code>push</code> | [<code>back</code>]({page}) | 2 h 0 min | 4 | 200 OK "
        "| recovered |\n"
        "\n"
        "</details>\n"
        "\n"
        f"Read 230 deliveries of [webhook 1 of organization acme]({page}) "
        "(scan: full) to find the failures "
        "from 2026-11-24 05:50:00 UTC to 2026-11-24 12:00:00 UTC.\n"
        "\n"
        "Checkpoint saved: 2026-11-24 11:00:00 UTC, when the oldest refused event failed. "
        "The next run starts there.\n"
    )


def test_a_summary_shows_health_and_a_chart() -> None:
    """They are below the counts and above the events."""
    outage = [failed(minutes=n) for n in range(1, 6)]
    scan = a_scan_result(health=health_of(*outage, succeeded(hours=1)))
    report = replace(a_report(a_result(Outcome.STILL_FAILING)), scans=(scan,))
    page = "https://github.com/organizations/acme/settings/hooks/1?tab=deliveries"

    before, rest = summary(report).split("Health of ")
    shown, after = rest.split("#### Needs attention")

    assert before.endswith("| 1 | 1 | 0 | 1 | 0 | 0 | 0 | 0 |\n\n")
    assert after
    lines = [line for line in shown.splitlines() if not line.startswith("x-axis")]
    assert lines == [
        (
            f"[webhook 1 of organization acme]({page}): **down**. No delivery has succeeded "
            "since 2026-11-24 11&#58;55&#58;00 UTC&#58; 5 in a row failed. The last success was at "
            "2026-11-24 11&#58;00&#58;00 UTC. In all 5 failures in this run's time window, the "
            "receiver did not respond in time. Let the receiver respond first, and work "
            "afterwards. 95 &#37; of the responses took at most 0.3 s."
        ),
        "",
        "#### Deliveries over time",
        "",
        "```mermaid",
        "---",
        "config:",
        "  xyChart: {height: 240, width: 840}",
        '  themeVariables: {xyChart: {plotColorPalette: "#54aeff, #cf222e"}}',
        "---",
        "xychart-beta",
        'y-axis "Deliveries" 0.25 --> 5',
        f"bar [{'0, ' * 31}1, {'0, ' * 4}5]",
        f"bar [{'0, ' * 36}5]",
        "```",
        "",
        (
            "Red: failed. Blue: delivered. Redeliveries do not count. Each bar is 10 min. Times "
            "are in UTC."
        ),
        "",
    ]


def test_a_dry_run_shows_what_would_be_done_in_order() -> None:
    due = [a_result(Outcome.DUE, guid=f"due-{n}") for n in range(3)]
    left = a_result(Outcome.DEFERRED, because=Verdict.SURPLUS.value)
    dry = replace(a_report(*due, left), options=DRY_RUN)

    shown = summary(dry)

    assert "### redeliver: dry run, 4 events failed: 3 would be redelivered" in shown
    assert "| 4 | 3 | 0 | 1 |" in shown
    assert "#### Would be redelivered, in this order" in shown
    assert [re.findall(r"due-\d", row) for row in rows(dry)] == [["due-0"], ["due-1"], ["due-2"]]


def test_events_that_need_attention_come_first() -> None:
    first = [row.split(" | ")[5].removesuffix(" |") for row in rows(a_report(*ONE_RESULT_OF_EACH))]

    assert first == [
        "refused",
        "deferred",
        "deferred",
        "still failing",
        "given up",
        "pending",
        "would be redelivered",
        "recovered",
    ]


def test_events_over_the_limit_of_a_table_are_counted() -> None:
    report = a_report(*[a_result(guid=f"event-{n}") for n in range(32)])

    assert len(rows(report)) == 30
    assert "And 2 more, in the log of this run." in summary(report)


def test_deferred_and_filtered_events_are_counted_by_reason() -> None:
    policy = a_policy(max_redeliveries=7)
    left = [a_result(Outcome.DEFERRED, because=Verdict.SURPLUS.reason(policy))] * 3
    unsettled = [a_result(Outcome.UNSETTLED, because=Verdict.UNSETTLED.value)]
    out = [a_result(Outcome.FILTERED, because=Verdict.UNWANTED_STATUS.value)] * 2

    shown = summary(a_report(*left, *unsettled, *out))

    deferred, filtered = shown.split("#### Filtered out")
    assert (
        "| 3 | over the limit of 7 ('max-redeliveries') |" in deferred.split("#### Deferred to")[1]
    )
    assert "| 1 | an earlier run may have redelivered it" in deferred
    assert "| 2 | excluded by 'skip-status-codes' |" in filtered


HOSTILE = 'a|b\n| <img src=x> `c` **d** [e](https://evil.example) "]); ``` %%{init}%%'


def test_untrusted_text_cannot_break_a_row() -> None:
    result = a_result(guid=HOSTILE, event=HOSTILE, status=HOSTILE, because=HOSTILE)

    report = a_report(result)
    shown = summary(report)

    (row,) = rows(report)
    assert row.count("|") == 7
    for markup in ("evil", "<img", "%%"):
        assert markup not in shown
    assert "```" not in shown


def worst(outcome: Outcome) -> EventResult:
    delivery = a_delivery("|" * 999, event="<" * 999, action="*" * 999, status="[" * 999)
    return EventResult(decision=a_decision(delivery), outcome=outcome, because="`" * 999)


@pytest.mark.unmeasured
def test_hostile_text_keeps_the_summary_within_the_limit() -> None:
    hooks = tuple(
        a_scan_result(webhook=a_webhook(n), error=UnavailableError("]" * 5000)) for n in range(300)
    )
    results = [worst(outcome) for outcome in Outcome for _ in range(200)]
    reasons = [replace(worst(Outcome.DEFERRED), because=f"{n}{'|' * 999}") for n in range(300)]
    report = replace(a_report(*results, *reasons), scans=hooks)

    assert len(summary(report).encode()) < LIMIT


@pytest.mark.unmeasured
def test_10_000_failures_keep_the_summary_within_the_limit() -> None:
    outcomes = [Outcome.STILL_FAILING, Outcome.RECOVERED, Outcome.GIVEN_UP, Outcome.PENDING]
    events = ["push", "issues", "pull_request", "check_run", "workflow_job"]
    results = [
        EventResult(
            decision=a_decision(
                a_delivery(
                    f"6f2b6f60-1111-11ef-8000-{n:012}",
                    at=NOW - timedelta(seconds=n),
                    number=2**61 + n,
                    event=events[n % 5],
                    status_code=500 + n % 7,
                )
            ),
            outcome=outcomes[n % 4],
            because="old" if outcomes[n % 4] is Outcome.GIVEN_UP else "",
        )
        for n in range(10_000)
    ]
    report = a_report(*results)

    shown = summary(report)

    assert len(shown.encode()) < LIMIT
    assert "10,000 events failed: 2,500 recovered, 2,500 still failing" in shown
    assert shown.count("\n| <code>") == 100 + 2 * 30
    assert "And 4,900 more, in the log of this run." in shown
    assert shown.count("And 2,470 more, in the log of this run.") == 2


def test_only_the_first_webhooks_are_listed() -> None:
    report = replace(
        a_report(), scans=tuple(a_scan_result(webhook=a_webhook(n)) for n in range(250))
    )

    assert "And 230 more webhooks, in the log of this run." in summary(report)


def test_each_row_names_its_webhook_if_there_are_several() -> None:
    hooks = [a_webhook(number) for number in (1, 2)]
    results = [
        EventResult(decision=a_decision(webhook=hook), outcome=Outcome.STILL_FAILING)
        for hook in hooks
    ]
    report = replace(a_report(*results), scans=tuple(a_scan_result(webhook=hook) for hook in hooks))

    assert [row.split(" | ")[6] for row in rows(report)] == ["1 |", "2 |"]


def test_a_run_that_ended_early_shows_why() -> None:
    assert failure("cannot read | it") == "### redeliver: failed\n\ncannot read &#124; it\n"


def test_a_partly_read_log_is_named_in_the_summary() -> None:
    broken = a_report(error=UnavailableError("GitHub is down"))

    assert (broken.status, messages.problem(broken)) == (1, "GitHub is down")
    assert "Reading stopped early: older deliveries were not read." in summary(broken)
