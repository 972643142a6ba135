"""Deliveries, decisions, windows, logs, responses: defaults for what a test is not about."""

import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from redeliver.core.checkpoint import UNMARKED, Checkpoint, Mark, SavedCheckpoint
from redeliver.core.decision import Decision, Verdict
from redeliver.core.delivery import (
    Delivery,
    DeliveryId,
    Guid,
    HookId,
    RepositoryId,
    StatusFilter,
    Webhook,
)
from redeliver.core.health import Health
from redeliver.core.health_counter import HealthCounter
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.pages import Page
from redeliver.core.plan import Plan
from redeliver.core.policy import Policy, RunOptions, ScanMode
from redeliver.core.repository_filter import RepositoryFilter
from redeliver.core.scan import Scan, ScanResult
from redeliver.core.window import Window
from redeliver.errors import RedeliverError
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import Response
from redeliver.reporting.report import Report

FRESH_IDS = itertools.count(2**62)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

START = NOW + timedelta(milliseconds=250)
"""When sandboxes start. A run reads NOW, because a `Date` header has whole seconds."""

TOKEN = "ghp_f1ne"
"""A token with every permission that the action needs."""


DOCUMENTED_ROW: dict[str, object] = {
    "id": 77,
    "guid": "guid-77",
    "delivered_at": "2026-11-24T11:00:00Z",
    "redelivery": False,
    "duration": 0.2,
    "status": "timed out",
    "status_code": 504,
    "event": "push",
    "action": None,
}
"""A failed delivery as GitHub lists it."""


def a_webhook(number: int = 1) -> Webhook:
    return Webhook(
        name=f"webhook {number} of organization acme",
        id=HookId(number),
        page=f"https://github.com/organizations/acme/settings/hooks/{number}?tab=deliveries",
    )


WEBHOOK = a_webhook()


def ago(*, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
    """Return the time that lies this long before NOW."""
    return NOW - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


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
    repository_id: int | None = None,
    duration: float | None = 0.25,
    throttled: bool = False,
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
        repository_id=RepositoryId(repository_id) if repository_id else None,
        duration=duration,
        throttled=throttled,
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
    has_all_attempts: bool = True,
) -> Decision:
    delivery = delivery or a_delivery()
    return Decision(
        webhook=webhook,
        delivery=delivery,
        attempts=3,
        has_all_attempts=has_all_attempts,
        failing_since=since or delivery.delivered_at,
        verdict=verdict,
    )


def saved(
    checkpoint: datetime, *, written: datetime | None = None, mark: Mark = UNMARKED
) -> SavedCheckpoint:
    return SavedCheckpoint(checkpoint=Checkpoint(checkpoint, mark), written=written or checkpoint)


def a_window(
    checkpoint: datetime | None = NOW - timedelta(hours=6),
    *,
    written: datetime | None = None,
    mark: Mark = UNMARKED,
) -> Window:
    before = saved(checkpoint, written=written, mark=mark) if checkpoint else None
    return Window.starting(before, now=NOW, lookback=timedelta(hours=24))


def repositories(*ids: int, excludes: bool = False) -> RepositoryFilter:
    """Return a filter for acme/repo-1 and so on, by their ids."""
    names = {RepositoryId(number): f"acme/repo-{number}" for number in ids}
    return RepositoryFilter(names=names, excludes=excludes)


def health_of(
    *log: Delivery,
    window: Window | None = None,
    receiver_timeout: timedelta = timedelta(seconds=10),
    is_complete: bool = True,
) -> Health:
    """Return the health of the receiver that has this log, which is newest first."""
    counter = HealthCounter(window or a_window())
    counter.add(log)
    health = counter.result(receiver_timeout, is_complete=is_complete)
    assert health
    return health


a_policy = partial(Policy, give_up_after=timedelta(days=3))

OPTIONS = RunOptions(lookback=timedelta(hours=24), policy=a_policy(), retention=timedelta(days=3))


def a_scan_result(
    *decisions: Decision,
    webhook: Webhook = WEBHOOK,
    scanned: int = 230,
    failed_deliveries: int = 46,
    unclassified: int = 0,
    health: Health | None = None,
    error: RedeliverError | None = None,
) -> ScanResult:
    return ScanResult(
        webhook=webhook,
        scanned=scanned,
        failed_deliveries=failed_deliveries,
        decisions=decisions,
        unclassified=unclassified,
        in_window=scanned,
        health=health,
        error=error,
    )


LISTED_CODES: Mapping[StatusFilter, Container[int]] = {
    StatusFilter.ALL: range(1000),
    StatusFilter.FAILURES: range(400, 600),
    StatusFilter.SUCCESSES: range(200, 400),
}


def a_log(
    rows: Iterable[Delivery], *, per_page: int = 1
) -> Callable[[StatusFilter], Iterator[Page]]:
    """Return a function that lists the rows that pass a filter in pages, as GitHub does."""

    def log(listed: StatusFilter) -> Iterator[Page]:
        page: list[Delivery] = []
        try:
            for row in rows:
                if row.status_code in LISTED_CODES[listed]:
                    if len(page) == per_page:
                        yield Page(rows=page, is_last=False)
                        page = []
                    page.append(row)
        except RedeliverError:
            if page:
                yield Page(rows=page, is_last=False)  # the error is that of the next page
            raise
        yield Page(rows=page, is_last=True)

    return log


def failed(**span: float) -> Delivery:
    """Return an original that failed this long ago."""
    return a_delivery(at=ago(**span), number=next(FRESH_IDS))


def failed_again(**span: float) -> Delivery:
    """Return a redelivery that failed."""
    return a_delivery(at=ago(**span), number=next(FRESH_IDS), redelivery=True)


def succeeded(**span: float) -> Delivery:
    """Return an original that succeeded."""
    return delivered(at=ago(**span), number=next(FRESH_IDS))


def succeeded_again(**span: float) -> Delivery:
    """Return a redelivery that succeeded."""
    return delivered(at=ago(**span), number=next(FRESH_IDS), redelivery=True)


FOUR_ATTEMPTS = a_policy(max_attempts=4)


def scan_of(
    log: Iterable[Delivery],
    *,
    webhook: Webhook = WEBHOOK,
    window: Window | None = None,
    policy: Policy = FOUR_ATTEMPTS,
) -> ScanResult:
    """Return the full scan of a log. The default window begins with a checkpoint six hours ago."""
    return scan_log(a_log(log), window or a_window(), policy, ScanMode.FULL, webhook=webhook)


def scan_log(
    log: Callable[[StatusFilter], Iterable[Page]],
    window: Window,
    policy: Policy,
    mode: ScanMode,
    *,
    webhook: Webhook = WEBHOOK,
) -> ScanResult:
    """Read a whole log, and return the decisions about its events."""
    scan = Scan(webhook, log, window, policy, mode)
    while scan.read_page():
        pass
    return scan.result()


def plan_of(
    log: Iterable[Delivery], window: Window | None = None, policy: Policy = FOUR_ATTEMPTS
) -> Plan:
    """Return the plan for one webhook's log."""
    window = window or a_window()
    return Plan.of([scan_of(log, window=window, policy=policy)], window, policy)


def a_result(
    outcome: Outcome = Outcome.PENDING,
    *,
    guid: str = "guid-1",
    event: str = "push",
    status: str = "timed out",
    because: str = "",
) -> EventResult:
    delivery = a_delivery(guid, event=event, status=status)
    decision = a_decision(delivery, since=ago(hours=2))
    return EventResult(decision=decision, outcome=outcome, because=because)


ONE_RESULT_OF_EACH = tuple(a_result(outcome) for outcome in Outcome)


def a_report(*results: EventResult, error: RedeliverError | None = None) -> Report:
    return Report(
        store="variable LAST_REDELIVERY of acme/ops",
        is_shared=True,
        window=a_window(),
        options=OPTIONS,
        scans=(a_scan_result(error=error),),
        results=results,
        holds=(),
        older=(),
        checkpoint=NOW,
        mark=UNMARKED,
        trouble=(),
        limit="",
        unverified={},
        token_expirations={},
        interrupted=None,
    )


DRY_RUN = replace(OPTIONS, dry_run=True)
STRICT = replace(OPTIONS, fail_unrecovered=True)

THREE_FAILURES = (
    a_delivery("first", at=ago(hours=3), number=11),
    a_delivery("second", at=ago(hours=2), number=12),
    a_delivery("third", at=ago(hours=1), number=13),
)
NINE_FAILURES = tuple(
    a_delivery(f"event-{n}", at=ago(hours=3, minutes=-n), number=n + 10) for n in range(9)
)


PRIVATE_KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEs3cret\nKEY+/aa==\n-----END RSA PRIVATE KEY-----\n"
)

GOOD_INPUTS = {
    "token": "ghp_s3cret",
    "client-id": "",
    "app-id": "",
    "private-key": "",
    "org": "acme",
    "repo": "",
    "hook-id": "123456789",
    "hook-url": "",
    "hostname": "github.com",
    "variable-name": "LAST_REDELIVERY",
    "variable-repository": "acme/ops",
    "variable-token": "",
    "lookback": "24h",
    "scan": "full",
    "give-up-after": "",
    "max-attempts": "",
    "events": "",
    "repositories": "",
    "skip-status-codes": "",
    "since": "",
    "until": "",
    "guids": "",
    "include-delivered": "false",
    "max-redeliveries": "",
    "max-per-minute": "75",
    "verify": "30s",
    "probe": "",
    "fail-on": "error",
    "dry-run": "false",
}
APP_INPUTS = {**GOOD_INPUTS, "token": "", "client-id": "Iv23liAcme", "private-key": PRIVATE_KEY}
OWN_WEBHOOK_INPUTS = {**APP_INPUTS, "org": "", "hook-id": ""}


def a_response(
    status: int = 403, text: str = '{"message": "Forbidden"}', **headers: str
) -> Response:
    """Return a response to a request for the log. In `headers`, underscores stand for hyphens."""
    date = {"date": "Tue, 24 Nov 2026 12:00:00 GMT"}
    named = {name.replace("_", "-"): value for name, value in (date | headers).items()}
    purpose = Permission(inputs="'hook-id'").to("read the log")
    return Response(purpose=purpose, status=status, headers=named, text=text)
