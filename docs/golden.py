"""The run whose summary is docs/summary.md and the picture at the top of the README.

A receiver was down for half an hour in a night; most events came back with this run.
"""

import uuid
from datetime import timedelta

from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, Webhook
from redeliver.core.outcome import EventResult, Outcome
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from tests.support.builders import NOW, OPTIONS, a_scan_result, a_window, ago

HOOK = Webhook(
    name="webhook 481516234 of organization acme",
    id=HookId(481516234),
    page="https://github.com/organizations/acme/settings/hooks/481516234?tab=deliveries",
)
NAMES = [
    ("push", None),
    ("pull_request", "synchronize"),
    ("workflow_job", "completed"),
    ("check_run", "completed"),
    ("issues", "opened"),
    ("push", None),
    ("issue_comment", "created"),
]
CONNECT = ("failed to connect to host", 502)
UNAVAILABLE = ("Invalid HTTP Response: 503", 503)
TIMED_OUT = ("timed out", 504)
ERROR = ("Invalid HTTP Response: 500", 500)


def _delivery(number: int, status: tuple[str, int]) -> Delivery:
    event, action = NAMES[number % len(NAMES)]
    return Delivery(
        id=DeliveryId(2_310_000_000_000_000_001 + 2 * number),
        guid=Guid(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))),
        delivered_at=ago(hours=5) + timedelta(seconds=40 * number),
        redelivery=False,
        status=status[0],
        status_code=status[1],
        event=event,
        action=action,
    )


def _outcome(
    number: int,
    outcome: Outcome,
    status: tuple[str, int],
    *,
    attempts: int = 1,
    hours: float = 0,
    because: str = "",
) -> EventResult:
    delivery = _delivery(number, status)
    decision = Decision(
        webhook=HOOK,
        delivery=delivery,
        attempts=attempts,
        failing_since=delivery.delivered_at - timedelta(hours=hours),
        verdict=Verdict.REDELIVER,
    )
    return EventResult(decision=decision, outcome=outcome, because=because)


def golden() -> Report:
    """Return the report of that run."""
    old = Verdict.TOO_OLD.value
    results = [
        _outcome(2, Outcome.GIVEN_UP, ERROR, attempts=13, hours=68, because=old),
        *(_outcome(n, Outcome.FAILING, ERROR, attempts=n - 5, hours=7 * (12 - n)) for n in (8, 10)),
        *(_outcome(n, Outcome.RECOVERED, CONNECT) for n in range(11, 33)),
        *(_outcome(n, Outcome.RECOVERED, UNAVAILABLE) for n in range(33, 45)),
        *(_outcome(n, Outcome.RECOVERED, TIMED_OUT) for n in range(45, 50)),
        _outcome(50, Outcome.PENDING, TIMED_OUT),
    ]
    return Report(
        store="variable LAST_REDELIVERY of acme/ops",
        window=a_window(),
        options=OPTIONS,
        scans=(a_scan_result(webhook=HOOK, scanned=1841),),
        results=tuple(results),
        checkpoint=NOW,
    )


if __name__ == "__main__":
    print(summary(golden()), end="")
