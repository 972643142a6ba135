"""What the log and the summary say of receivers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from redeliver.core.delivery import Delivery
from redeliver.reporting.format import percent
from redeliver.reporting.health import by_severity, details, log_line
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from tests.support.builders import (
    OPTIONS,
    a_delivery,
    a_report,
    a_scan_result,
    a_webhook,
    ago,
    failed,
    health_of,
    succeeded,
)

GITHUB = timedelta(seconds=10)
SERVER = timedelta(seconds=30)


def refused(**span: float) -> Delivery:
    return a_delivery(at=ago(**span), status="Invalid HTTP Response: 404", status_code=404)


def took(seconds: float) -> Delivery:
    return a_delivery(status="OK", status_code=200, duration=seconds)


FIVE_FAILURES = [failed(minutes=n) for n in range(1, 6)]
LOGS = {
    "down": (
        [*FIVE_FAILURES, succeeded(hours=1)],
        (
            "No delivery has succeeded since 2026-11-24 11:55:00 UTC: 5 in a row failed. The last "
            "success was at 2026-11-24 11:00:00 UTC. In all 5 failures in this run's time window, "
            "the receiver did not respond in time. Let the receiver respond first, and work "
            "afterwards. 95 % of the responses took at most 0.3 s"
        ),
    ),
    "down, and no success was read": (
        [refused(hours=n) for n in range(7, 9)],
        (
            "All 2 deliveries that were read failed. The oldest is of 2026-11-24 04:00:00 UTC, so "
            "the receiver may have been down for longer"
        ),
    ),
    "failing": (
        [succeeded(minutes=1), refused(hours=1), refused(hours=2), failed(hours=3)],
        (
            "3 of 4 first deliveries failed (75 %). In 2 of 3 failures in this run's time window, "
            "the receiver rejected the delivery (401, 403 or 404). "
            "Check the webhook's secret, and the path of its URL. The last failure was at "
            "2026-11-24 11:00:00 UTC, the last success at 2026-11-24 11:59:00 UTC. 95 % of the "
            "responses took at most 0.3 s"
        ),
    ),
    "failing, and works again": (
        [succeeded(minutes=1), refused(hours=2), refused(hours=3), failed(hours=4)],
        (
            "3 of 4 first deliveries failed (75 %). In 2 of 3 failures in this run's time window, "
            "the receiver rejected the delivery (401, 403 or 404). None has failed since "
            "2026-11-24 10:00:00 UTC, so the receiver works again. 95 % of the responses took at "
            "most 0.3 s"
        ),
    ),
    "failing, and no success was read": (
        [refused(minutes=1)],
        (
            "1 of 1 first delivery failed (100 %). In the only failure in this run's time window, "
            "the receiver rejected the delivery (401, 403 or 404). "
            "Check the webhook's secret, and the path of its URL. 95 % of the responses took at "
            "most 0.3 s"
        ),
    ),
    "slow": (
        [took(9.0)] * 3 + [took(0.1)] * 22,
        (
            "12 % of 25 responses took more than 8 s. GitHub stops waiting at 10 s, and then the "
            "event arrives twice. Let the receiver respond first, and work afterwards. 95 % of the "
            "responses took at most 9 s"
        ),
    ),
    "silent": (
        [succeeded(hours=7)],
        (
            "GitHub sent no new event; the last delivery or redelivery was at 2026-11-24 05:00:00 "
            "UTC. If you expected events, check on GitHub that the webhook is active, and to which "
            "events it subscribes"
        ),
    ),
    "healthy": (
        [took(0.1)] * 1200,
        "1,200 first deliveries, none failed. 95 % of the responses took at most 0.1 s",
    ),
    "healthy, throttled": (
        [a_delivery(status="OK", status_code=200, duration=None, throttled=True)],
        ("1 first delivery, none failed. GitHub throttled 1 delivery"),
    ),
    "healthy, with a failure": (
        [*[took(0.1)] * 999, failed(hours=1)],
        ("1 of 1,000 first deliveries failed (0.1 %). 95 % of the responses took at most 0.1 s"),
    ),
}


@pytest.mark.parametrize("case", LOGS)
def test_sentences_explain_the_verdict(case: str) -> None:
    log, sentences = LOGS[case]
    health = health_of(*log)

    assert health.verdict.value == case.partition(",")[0]
    assert details(health, GITHUB) == sentences


def test_a_slow_answer_takes_longer_on_enterprise_server() -> None:
    health = health_of(*[took(25.0)] * 2, receiver_timeout=SERVER)

    assert "took more than 24 s. GitHub stops waiting at 30 s" in details(health, SERVER)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0 %"), (0.0004, "less than 0.1 %"), (0.065, "6.5 %"), (0.123, "12 %"), (1, "100 %")],
)
def test_a_share_has_two_digits(share: float, text: str) -> None:
    assert percent(share) == text


def test_the_log_says_only_what_is_wrong() -> None:
    down = a_scan_result(health=health_of(*FIVE_FAILURES))

    assert log_line(down, GITHUB).startswith(
        "Health of webhook 1 of organization acme: down. All 5 deliveries that were read failed. "
    )
    assert log_line(a_scan_result(health=health_of(took(0.1))), GITHUB) == ""
    assert log_line(a_scan_result(), GITHUB) == ""


def reported(*logs: list[Delivery]) -> Report:
    scans = [
        a_scan_result(webhook=a_webhook(number), health=health_of(*log))
        for number, log in enumerate(logs, 1)
    ]
    unknown = a_scan_result(webhook=a_webhook(len(logs) + 1))
    return replace(a_report(), scans=(*scans, unknown))


def test_the_worst_receiver_comes_first() -> None:
    report = reported([took(0.1)], [succeeded(hours=7)], FIVE_FAILURES)

    assert [scan.webhook.id for scan, _ in by_severity(report)] == [3, 2, 1]


def test_the_summary_has_a_line_for_each_receiver() -> None:
    shown = summary(reported([took(0.1)], FIVE_FAILURES))
    page = "https://github.com/organizations/acme/settings/hooks/2?tab=deliveries"

    first, second = (line for line in shown.splitlines() if line.startswith("Health"))
    assert first.startswith(f"Health of [webhook 2 of organization acme]({page}): **down**. A")
    assert second.endswith(
        "**healthy**. 1 first delivery, none failed. 95 &#37; of the responses took at most 0.1 s."
    )


def test_the_summary_lists_only_the_worst_receivers() -> None:
    shown = summary(reported(*[[took(0.1)]] * 30))

    assert shown.count("Health of") == 20
    assert "And 10 more webhooks, whose health is the same or better." in shown


def test_enterprise_server_has_its_own_limit_in_the_summary() -> None:
    health = health_of(*[took(25.0)] * 2, receiver_timeout=SERVER)
    report = replace(
        a_report(),
        options=replace(OPTIONS, receiver_timeout=SERVER),
        scans=(a_scan_result(health=health),),
    )

    assert "GitHub stops waiting at 30 s" in summary(report)
