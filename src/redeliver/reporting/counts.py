"""Count the deliveries and the events of a run, by the names of the action's outputs."""

from collections import Counter
from collections.abc import Iterable

from redeliver.core.outcome import ACCEPTED, DEFERRED_KINDS, EventResult, Outcome
from redeliver.core.scan import ScanResult

NOT_FAILED_OUTCOMES = (Outcome.DELIVERED, Outcome.FILTERED)
"""The outcomes of events that do not count as failed."""


def count_by_output(scans: Iterable[ScanResult], results: Iterable[EventResult]) -> dict[str, int]:
    """Count deliveries and events, by the names of the action's outputs.

    `failed` is the sum of `requested`, `given-up`, `refused`, `deferred` and `due`. `requested` is
    the sum of `recovered`, `still-failing` and `pending`.
    """
    scans, outcomes = list(scans), Counter(result.outcome for result in results)

    def events(*kinds: Outcome) -> int:
        return sum(outcomes[kind] for kind in kinds)

    return {
        "scanned": sum(scan.scanned for scan in scans),
        "failed-deliveries": sum(scan.failed_deliveries for scan in scans),
        "already-delivered": events(Outcome.DELIVERED),
        "failed": outcomes.total() - events(*NOT_FAILED_OUTCOMES),
        "unreadable": sum(len(scan.unreadable) for scan in scans),
        "requested": events(*ACCEPTED),
        "recovered": events(Outcome.RECOVERED),
        "still-failing": events(Outcome.STILL_FAILING),
        "pending": events(Outcome.PENDING),
        "given-up": events(Outcome.GIVEN_UP),
        "refused": events(Outcome.REFUSED),
        "deferred": events(*DEFERRED_KINDS),
        "due": events(Outcome.DUE),
    }
