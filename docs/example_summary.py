"""Print the step summary of an example run, for docs/summary.md and the picture in the README.

In the example, a receiver was down for half an hour, and this run recovered most events.
"""

import uuid
from datetime import UTC, datetime, timedelta

from redeliver.core.checkpoint import SavedCheckpoint, Window
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, Webhook
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.policy import Policy, RunOptions
from redeliver.core.scan import ScanResult
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LAST_RUN = NOW - timedelta(hours=6)
OUTAGE = NOW - timedelta(hours=5)
DAY = timedelta(days=1)

WEBHOOK = Webhook(
    name="webhook 481516234 of organization acme",
    id=HookId(481516234),
    page="https://github.com/organizations/acme/settings/hooks/481516234?tab=deliveries",
)
EVENTS = [
    ("push", None),
    ("pull_request", "synchronize"),
    ("workflow_job", "completed"),
    ("check_run", "completed"),
    ("issues", "opened"),
    ("push", None),
    ("issue_comment", "created"),
]
CANNOT_CONNECT = ("failed to connect to host", 502)
UNAVAILABLE = ("Invalid HTTP Response: 503", 503)
TIMED_OUT = ("timed out", 504)
SERVER_ERROR = ("Invalid HTTP Response: 500", 500)


def example_report() -> Report:
    """Return the report of the example run."""
    too_old = Verdict.TOO_OLD.value
    results = [
        _result(2, Outcome.GIVEN_UP, SERVER_ERROR, attempts=13, failing_hours=68, because=too_old),
        _result(8, Outcome.FAILING, SERVER_ERROR, attempts=3, failing_hours=28),
        _result(10, Outcome.FAILING, SERVER_ERROR, attempts=5, failing_hours=14),
        *(_result(number, Outcome.RECOVERED, CANNOT_CONNECT) for number in range(11, 33)),
        *(_result(number, Outcome.RECOVERED, UNAVAILABLE) for number in range(33, 45)),
        *(_result(number, Outcome.RECOVERED, TIMED_OUT) for number in range(45, 50)),
        _result(50, Outcome.PENDING, TIMED_OUT),
    ]
    saved = SavedCheckpoint(checkpoint=LAST_RUN, written=LAST_RUN)
    return Report(
        store="variable LAST_REDELIVERY of acme/ops",
        window=Window.starting(saved, now=NOW, lookback=DAY),
        options=RunOptions(lookback=DAY, policy=Policy(give_up_after=3 * DAY), retention=3 * DAY),
        scans=(ScanResult(webhook=WEBHOOK, scanned=1841, decisions=()),),
        results=tuple(results),
        checkpoint=NOW,
    )


def _result(
    number: int,
    outcome: Outcome,
    status: tuple[str, int],
    *,
    attempts: int = 1,
    failing_hours: float = 0,
    because: str = "",
) -> EventResult:
    """Return the result of the `number`th event, which has been failing for `failing_hours`."""
    event, action = EVENTS[number % len(EVENTS)]
    text, code = status
    latest = Delivery(
        id=DeliveryId(2_310_000_000_000_000_001 + 2 * number),
        guid=Guid(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))),
        delivered_at=OUTAGE + timedelta(seconds=40 * number),
        redelivery=attempts > 1,
        status=text,
        status_code=code,
        event=event,
        action=action,
    )
    decision = Decision(
        webhook=WEBHOOK,
        delivery=latest,
        attempts=attempts,
        failing_since=latest.delivered_at - timedelta(hours=failing_hours),
        verdict=Verdict.REDELIVER,
    )
    return EventResult(decision=decision, outcome=outcome, because=because)


if __name__ == "__main__":
    print(summary(example_report()), end="")
