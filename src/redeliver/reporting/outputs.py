"""Write down what a run did for other programs: the action's outputs, and the report as JSON.

docs/report.schema.json describes the JSON. Ids are strings there, for they are larger
than what JavaScript and some others can hold; text of GitHub's rows is made harmless.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from redeliver.core.checkpoint import format_checkpoint
from redeliver.core.outcome import EventResult, Outcome
from redeliver.core.scan import ScanResult
from redeliver.reporting import messages
from redeliver.reporting.format import status
from redeliver.reporting.report import LEFT_FOR_LATER, Report
from redeliver.sanitize import quote_untrusted, truncate

VERSION = 1

MOST_CHARACTERS = 100_000
"""What the output takes: less than Linux allows for one environment variable (128 KiB), which
is how a workflow hands an output on, and than GitHub does for all outputs of a job (1 MB)."""

TEXT = 2000
"""Characters of a problem or a warning."""

ERROR = 300
"""Characters of a reason, or of one webhook's error."""

WARNINGS = REASONS = 20
"""How many of them are told; the step's log has all."""


def outputs(report: Report) -> dict[str, str]:
    """Return the action's outputs, by name."""
    return {
        **{name: str(number) for name, number in report.counts.items()},
        "checkpoint": format_checkpoint(report.checkpoint) if report.checkpoint else "",
        "report": to_json(report, most_characters=MOST_CHARACTERS),
    }


def to_json(report: Report, *, most_characters: int | None = None) -> str:
    """Return the report as JSON; events that would make it too long are only counted."""
    told = report.failed_results
    problem = messages.problem(report)
    whole: dict[str, Any] = {
        "version": VERSION,
        "dry_run": report.options.dry_run,
        "scan": report.options.scan.value,
        "from": _time(report.window.since),
        "to": _time(report.window.now),
        "checkpoint": format_checkpoint(report.checkpoint) if report.checkpoint else None,
        "problem": problem and truncate(problem, TEXT),
        "warnings": [truncate(warning, TEXT) for warning in messages.warnings(report)[:WARNINGS]],
        "counts": {name.replace("-", "_"): number for name, number in report.counts.items()},
        "deferred": _reasons(report, *LEFT_FOR_LATER),
        "filtered": _reasons(report, Outcome.FILTERED),
        "hooks": [],
        "events": [],
        "omitted": {},
    }
    left = None if most_characters is None else most_characters - len(json.dumps(whole)) - 100
    # At most half of what is left, so that events are told in any case.
    hooks = list(_fitting(map(_hook, report.scans), left and left // 2))
    events = list(_fitting(map(_event, told), left and left - len(json.dumps(hooks))))
    whole |= {"hooks": hooks, "events": events}
    omitted = {"hooks": len(report.scans) - len(hooks), "events": len(told) - len(events)}
    return json.dumps(whole | {"omitted": omitted})


def _fitting(entries: Iterable[dict[str, Any]], left: int | None) -> Iterator[dict[str, Any]]:
    """Yield as many as there are characters left for; None: all."""
    for entry in entries:
        if left is not None:
            left -= len(json.dumps(entry)) + len(", ")
            if left < 0:
                return
        yield entry


def _reasons(report: Report, *outcomes: Outcome) -> dict[str, int]:
    """Count by reason, with those lumped together of which there are too many."""
    told = Counter[str]()
    for place, (because, number) in enumerate(report.reasons(*outcomes).items()):
        told[truncate(because, ERROR) if place < REASONS else "other reasons"] += number
    return told


def _hook(scan: ScanResult) -> dict[str, Any]:
    return {
        "id": str(scan.webhook.id) if scan.webhook.id else None,
        "name": scan.webhook.name,
        "page": scan.webhook.page,
        "scanned": scan.scanned,
        "unclassified": scan.unclassified,
        "error": truncate(str(scan.error), ERROR) if scan.error else None,
    }


def _event(result: EventResult) -> dict[str, Any]:
    webhook, latest = result.decision.webhook, result.latest
    return {
        "hook": str(webhook.id) if webhook.id else None,
        "guid": quote_untrusted(latest.guid),
        "delivery": str(latest.id),
        "event": quote_untrusted(latest.event),
        "action": quote_untrusted(latest.action) if latest.action else None,
        "failing_since": _time(result.decision.failing_since),
        "attempts": result.attempts,
        "status": status(latest),
        "status_code": latest.status_code,
        "outcome": result.outcome.name.lower(),
        "because": result.because,
    }


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
