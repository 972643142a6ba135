"""Write down what a run did for other programs: the action's outputs, and the report as JSON.

Pure. docs/report.schema.json describes the JSON. Ids are strings there, for they are larger
than what JavaScript and some others can hold; text of GitHub's rows is made harmless.
"""

import json
from datetime import datetime
from typing import Any

from redeliver.checkpoint import to_text
from redeliver.inert import cut, quote
from redeliver.outcome import Fate, Outcome
from redeliver.report import (
    LATER,
    NEEDS_ATTENTION,
    NOT_FAILED,
    UNRECOVERED,
    Report,
    counts,
    status,
)

VERSION = 1

MOST_CHARACTERS = 100_000
"""What the output takes: less than Linux allows for one environment variable (128 KiB), which
is how a workflow hands an output on, and than GitHub does for all outputs of a job (1 MB)."""

TEXT = 2000
WARNINGS = 20
ERROR = 300
"""How much there is at most of a problem, of warnings, of one webhook's error: characters or how
many. The step's log has all of it."""


def outputs(report: Report) -> dict[str, str]:
    """Return the action's outputs, by name."""
    return {
        **{name: str(number) for name, number in counts(report).items()},
        "checkpoint": to_text(report.checkpoint) if report.checkpoint else "",
        "report": to_json(report, most_characters=MOST_CHARACTERS),
    }


def to_json(report: Report, *, most_characters: int | None = None) -> str:
    """Return the report as JSON; events that would make it too long are only counted."""
    told = sorted((o for o in report.outcomes if o.fate not in NOT_FAILED), key=_rank)
    whole: dict[str, Any] = {
        "version": VERSION,
        "dry_run": report.dry_run,
        "from": _time(report.window.since),
        "to": _time(report.window.now),
        "checkpoint": to_text(report.checkpoint) if report.checkpoint else None,
        "problem": report.problem and cut(report.problem, TEXT),
        "warnings": [cut(warning, TEXT) for warning in report.warnings[:WARNINGS]],
        "counts": {name.replace("-", "_"): number for name, number in counts(report).items()},
        "deferred": report.reasons(*LATER),
        "filtered": report.reasons(Fate.FILTERED),
        "hooks": [
            {
                "id": str(reading.hook.id) if reading.hook.id else None,
                "name": reading.hook.name,
                "page": reading.hook.page,
                "scanned": reading.scanned,
                "error": cut(str(reading.error), ERROR) if reading.error else None,
            }
            for reading in report.readings
        ],
        "events": [],
        "omitted": len(told),
    }
    left = None if most_characters is None else most_characters - len(json.dumps(whole))
    for outcome in told:
        event = _event(outcome)
        if left is not None:
            left -= len(json.dumps(event)) + len(", ")
            if left < 0:
                break
        whole["events"].append(event)
        whole["omitted"] -= 1
    return json.dumps(whole)


def _rank(outcome: Outcome) -> int:
    if outcome.fate in NEEDS_ATTENTION:
        return 0
    return 1 if outcome.fate in UNRECOVERED else 2


def _event(outcome: Outcome) -> dict[str, Any]:
    hook, latest = outcome.decision.hook, outcome.latest
    return {
        "hook": str(hook.id) if hook.id else None,
        "guid": quote(latest.guid),
        "delivery": str(latest.id),
        "event": quote(latest.event),
        "action": quote(latest.action) if latest.action else None,
        "failing_since": _time(outcome.decision.failing_since),
        "attempts": outcome.attempts,
        "status": status(latest),
        "status_code": latest.status_code,
        "outcome": outcome.fate.name.lower(),
        "because": outcome.because,
    }


def _time(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
