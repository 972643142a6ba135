"""The report for other programs: the action's outputs, and JSON.

docs/report.schema.json describes the JSON. Ids are strings there, because JavaScript and some other
languages would round such large numbers.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from redeliver.core.checkpoint import format_checkpoint
from redeliver.core.delivery import Webhook
from redeliver.core.health import FailureKind, Health
from redeliver.core.outcome import DEFERRED_KINDS, Outcome
from redeliver.core.scan import ScanResult
from redeliver.reporting import messages
from redeliver.reporting.event_row import EventRow
from redeliver.reporting.limits import MAX_LINES, MAX_REASON, MAX_TEXT
from redeliver.reporting.report import Report, delivered_before, not_found
from redeliver.sanitize import truncate

VERSION = 1

MAX_CHARACTERS = 100_000
"""The limit for the output. A workflow passes an output on as an environment variable, for which
Linux allows 128 KiB; GitHub allows 1 MB for all outputs of a job."""


def outputs(report: Report) -> dict[str, str]:
    """Return the action's outputs, by name."""
    return {
        **{name: str(number) for name, number in report.counts.items()},
        "checkpoint": format_checkpoint(report.checkpoint, report.mark)
        if report.checkpoint
        else "",
        "health": report.health.value if report.health else "",
        "token-expires": min(map(_time, report.token_expirations.values()), default=""),
        "report": to_json(report, max_characters=MAX_CHARACTERS),
    }


def to_json(
    report: Report, *, max_characters: int | None = None, adapt: Callable[[str], str] = str
) -> str:
    """Return the report as JSON; what would exceed the limit is only counted, in `omitted`.

    `adapt` changes the wording of sentences, and no names or ids.
    """
    problem = adapt(messages.problem(report) or "") or None
    warnings = [*map(adapt, messages.warnings(report))]
    whole: dict[str, Any] = {
        "version": VERSION,
        "dry_run": report.options.dry_run,
        "scan": report.options.scan.value,
        "repositories": _repositories(report, max_characters, excluded=False),
        "excluded_repositories": _repositories(report, max_characters, excluded=True),
        "replay": _replay(report),
        "from": _time(report.window.since),
        "to": _time(report.window.now),
        "checkpoint": format_checkpoint(report.checkpoint, report.mark)
        if report.checkpoint
        else None,
        "health": report.health.value if report.health else None,
        "tokens": [
            {"input": name, "expires": _time(end)} for name, end in report.token_expirations.items()
        ],
        "problem": problem and truncate(problem, MAX_TEXT),
        "warnings": [truncate(warning, MAX_TEXT) for warning in warnings[:MAX_LINES]],
        "counts": _counts(report.counts),
        "deferred": _reasons(report, *DEFERRED_KINDS, adapt=adapt),
        "filtered": _reasons(report, Outcome.FILTERED, adapt=adapt),
        "hooks": [],
        "events": [],
        "omitted": {},
    }
    left = None if max_characters is None else max_characters - len(json.dumps(whole)) - 100
    # Webhooks get at most half of the rest, so that there is always room for events.
    counts = report.counts_by_webhook
    all_hooks = (_hook(scan, counts[scan.webhook], adapt) for scan in report.scans)
    hooks = list(_fitting(all_hooks, left and left // 2))
    all_events = (_event(row, adapt) for row in report.rows())
    events = list(_fitting(all_events, left and left - len(json.dumps(hooks))))
    whole |= {"hooks": hooks, "events": events}
    omitted = {"hooks": len(report.scans) - len(hooks), "events": report.failed - len(events)}
    return json.dumps(whole | {"omitted": omitted})


def _fitting(entries: Iterable[dict[str, Any]], left: int | None) -> Iterator[dict[str, Any]]:
    """Yield as many entries as fit into the characters that are left; None is no limit."""
    for entry in entries:
        if left is not None:
            left -= len(json.dumps(entry)) + len(", ")
            if left < 0:
                return
        yield entry


def _reasons(report: Report, *outcomes: Outcome, adapt: Callable[[str], str]) -> dict[str, int]:
    """Count events by reason; if there are too many reasons, the rarest are counted together."""
    counted = Counter[str]()
    for position, (because, number) in enumerate(report.reasons(*outcomes).items()):
        reason = truncate(adapt(because), MAX_REASON) if position < MAX_LINES else "other reasons"
        counted[reason] += number
    return counted


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    return {name.replace("-", "_"): number for name, number in counts.items()}


def _replay(report: Report) -> dict[str, Any] | None:
    if not report.options.is_replay:
        return None
    return {
        "until": _time(report.window.until),
        "delivered_before": delivered_before(report),
        "not_found": not_found(report),
    }


def _repositories(
    report: Report, max_characters: int | None, *, excluded: bool
) -> list[dict[str, str | None]] | None:
    """Return the included or the excluded repositories, all if there is no limit."""
    chosen = report.options.policy.repositories
    if not chosen.is_set or chosen.excludes is not excluded:
        return None
    listed = islice(chosen.names.items(), None if max_characters is None else MAX_LINES)
    return [{"id": str(id_), "name": name or None} for id_, name in listed]


def _hook(
    scan: ScanResult, counts: Mapping[str, int], adapt: Callable[[str], str]
) -> dict[str, Any]:
    return {
        "id": _hook_id(scan.webhook),
        "name": scan.webhook.name,
        "page": scan.webhook.page,
        "counts": _counts(counts),
        "health": _health(scan.health) if scan.health else None,
        "error": truncate(adapt(str(scan.error)), MAX_REASON) if scan.error else None,
    }


def _health(health: Health) -> dict[str, Any]:
    return {
        "verdict": health.verdict.value,
        "deliveries": health.deliveries,
        "failed": health.failed,
        "failure_rate": _share(health.failure_rate),
        "failures": {kind.value: health.failures.get(kind, 0) for kind in FailureKind},
        "last_success": health.last_success and _time(health.last_success),
        "last_failure": health.last_failure and _time(health.last_failure),
        "down_since": health.down_since and _time(health.down_since),
        "responses": health.responses,
        "slow": health.slow,
        "slow_share": _share(health.slow_share),
        "p95_seconds": health.p95,
        "throttled": health.throttled,
    }


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _event(row: EventRow, adapt: Callable[[str], str]) -> dict[str, Any]:
    return {
        "hook": _hook_id(row.webhook),
        "guid": row.guid,
        "delivery": row.delivery,
        "event": row.event,
        "action": row.action or None,
        "repository_id": row.repository_id,
        "failing_since": _time(row.failing_since),
        "attempts": row.attempts,
        "status": row.status,
        "status_code": row.status_code,
        "outcome": row.outcome.for_users.name.lower(),
        "because": adapt(row.because),
        "was_delivered": row.was_delivered,
    }


def _hook_id(webhook: Webhook) -> str | None:
    return str(webhook.id) if webhook.id else None


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
