"""Print the step summary of an example run, for docs/summary.md and the picture in the README.

The run is a real one, on fakes of the tests. A receiver was down for half an hour; now it accepts
most events again.
"""

import uuid
from datetime import datetime

from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, Webhook
from redeliver.reporting.report import Report
from redeliver.reporting.summary import summary
from tests.support.builders import NOW, ago
from tests.support.fakes import FakeHook, run_once

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
DELIVERED = ("OK", 200)
CANNOT_CONNECT = ("failed to connect to host", 502)
UNAVAILABLE = ("Invalid HTTP Response: 503", 503)
TIMED_OUT = ("timed out", 504)
SERVER_ERROR = ("Invalid HTTP Response: 500", 500)

OUTAGE = [CANNOT_CONNECT] * 22 + [UNAVAILABLE] * 12 + [TIMED_OUT] * 6
"""The statuses of the events of the outage, whose numbers begin with `FIRST`."""

FIRST, LAST = 11, 50

NEVER_ACCEPTED = {2: 13, 8: 3, 10: 5}
"""The numbers of events that fail at each attempt, every six hours, and their attempts so far."""

SPACING = 40
"""Seconds from one event to the next."""


class ExampleHook(FakeHook):
    """A webhook whose log shows each redelivery, except that of the event `LAST`."""

    def redeliver(self, delivery: Delivery) -> None:
        """Add a redelivery to the log."""
        super().redeliver(delivery)
        number = int(delivery.id) // 100
        if number != LAST:
            status = SERVER_ERROR if number in NEVER_ACCEPTED else DELIVERED
            self.log.insert(0, an_attempt(number, status, NOW, nth=99))


def example_report() -> Report:
    """Return the report of the example run."""
    log = [
        an_attempt(number, status, ago(hours=5, seconds=-SPACING * number))
        for number, status in enumerate(OUTAGE, FIRST)
    ]
    for number, attempts in NEVER_ACCEPTED.items():
        log += [
            an_attempt(number, SERVER_ERROR, ago(hours=6 * (attempts - nth)), nth=nth)
            for nth in range(attempts)
        ]
    log += [
        an_attempt(1000 + number, DELIVERED, ago(hours=5, seconds=-SPACING * number))
        for number in range(-100, 450)
        if not FIRST <= number <= LAST
    ]
    hook = ExampleHook(*log)
    hook.webhook = WEBHOOK
    return run_once(hook)


def an_attempt(number: int, status: tuple[str, int], at: datetime, *, nth: int = 0) -> Delivery:
    """Return an attempt of the event with this number; the first attempt has `nth` 0."""
    event, action = EVENTS[number % len(EVENTS)]
    text, code = status
    return Delivery(
        id=DeliveryId(100 * number + nth),
        guid=Guid(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))),
        delivered_at=at,
        redelivery=nth > 0,
        status=text,
        status_code=code,
        event=event,
        action=action,
        duration=10.0 if status == TIMED_OUT else 0.05 + number % 30 / 100,
    )


if __name__ == "__main__":
    print(summary(example_report()), end="")
