"""Deliveries, decisions, windows and logs, each with defaults for what a test is not about."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from redeliver.core.checkpoint import SavedCheckpoint, Window
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, StatusFilter, Webhook
from redeliver.core.events import ALL_EVENTS, EventFilter
from redeliver.core.policy import Policy, RunOptions
from redeliver.core.scan import ScanResult
from redeliver.errors import RedeliverError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_webhook(number: int = 1) -> Webhook:
    return Webhook(
        name=f"webhook {number} of organization acme",
        id=HookId(number),
        page=f"https://github.com/organizations/acme/settings/hooks/{number}?tab=deliveries",
    )


WEBHOOK = a_webhook()


def ago(*, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    return NOW - timedelta(hours=hours, minutes=minutes, seconds=seconds)


def a_delivery(
    guid: str = "guid-1",
    *,
    at: datetime = NOW - timedelta(hours=1),
    number: int = 2**62 + 1,
    redelivery: bool = False,
    status: str = "timed out",
    status_code: int = 504,
    event: str = "push",
    action: str | None = None,
) -> Delivery:
    return Delivery(
        id=DeliveryId(number),
        guid=Guid(guid),
        delivered_at=at,
        redelivery=redelivery,
        status=status,
        status_code=status_code,
        event=event,
        action=action,
    )


def delivered(
    guid: str = "guid-1",
    *,
    at: datetime = NOW - timedelta(hours=1),
    number: int = 2**62 + 2,
    redelivery: bool = False,
) -> Delivery:
    return a_delivery(
        guid, at=at, number=number, redelivery=redelivery, status="OK", status_code=200
    )


def a_decision(
    delivery: Delivery | None = None,
    *,
    webhook: Webhook = WEBHOOK,
    since: datetime | None = None,
    verdict: Verdict = Verdict.REDELIVER,
) -> Decision:
    delivery = delivery or a_delivery()
    return Decision(
        webhook=webhook,
        delivery=delivery,
        attempts=3,
        failing_since=since or delivery.delivered_at,
        verdict=verdict,
    )


def saved(checkpoint: datetime, *, written: datetime | None = None) -> SavedCheckpoint:
    return SavedCheckpoint(checkpoint=checkpoint, written=written or checkpoint)


def a_window(
    checkpoint: datetime | None = NOW - timedelta(hours=6), *, written: datetime | None = None
) -> Window:
    before = saved(checkpoint, written=written) if checkpoint else None
    return Window.starting(before, now=NOW, lookback=timedelta(hours=24))


def a_policy(
    *,
    give_up_after: timedelta = timedelta(days=3),
    max_attempts: int | None = None,
    events: EventFilter = ALL_EVENTS,
    skip_status_codes: frozenset[int] = frozenset(),
    max_redeliveries: int | None = None,
) -> Policy:
    return Policy(
        give_up_after=give_up_after,
        max_attempts=max_attempts,
        events=events,
        skip_status_codes=skip_status_codes,
        max_redeliveries=max_redeliveries,
    )


OPTIONS = RunOptions(lookback=timedelta(hours=24), policy=a_policy(), retention=timedelta(days=3))


def a_scan_result(
    *decisions: Decision,
    webhook: Webhook = WEBHOOK,
    scanned: int = 230,
    unclassified: int = 0,
    error: RedeliverError | None = None,
) -> ScanResult:
    return ScanResult(
        webhook=webhook,
        scanned=scanned,
        decisions=decisions,
        unclassified=unclassified,
        error=error,
    )


CODES: Mapping[StatusFilter, Container[int]] = {
    StatusFilter.ALL: range(1000),
    StatusFilter.FAILURES: range(400, 600),
    StatusFilter.SUCCESSES: range(200, 400),
}


def a_log(rows: Iterable[Delivery]) -> Callable[[StatusFilter], Iterator[Delivery]]:
    """Give the rows of a log as GitHub lists them, the newest first as they come."""
    return lambda listed: (row for row in rows if row.status_code in CODES[listed])


THREE_FAILURES = (
    a_delivery("first", at=ago(hours=3), number=11),
    a_delivery("second", at=ago(hours=2), number=12),
    a_delivery("third", at=ago(hours=1), number=13),
)
NINE_FAILURES = tuple(
    a_delivery(f"event-{n}", at=ago(hours=3, minutes=-n), number=n + 10) for n in range(9)
)
