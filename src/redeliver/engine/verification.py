"""See in the logs what came of what was asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from redeliver.core.checkpoint import Window
from redeliver.core.delivery import Delivery, Guid, Webhook
from redeliver.core.outcome import EventResult
from redeliver.core.scan import OLD_ROWS_AT_END
from redeliver.engine.ports import Hook, Runtime
from redeliver.errors import RedeliverError

FIRST_LOOK = timedelta(seconds=1)
"""How long after the asking the log is looked at first; then after as long again each time, for
most receivers answer at once, and some never do."""

LONGEST_PAUSE = timedelta(seconds=30)


class Verification:
    """Looks at the logs again, and gives the outcomes that they change.

    An outcome is known by its place in the plan.
    """

    def __init__(self, hooks: Mapping[Webhook, Hook], runtime: Runtime, *, window: Window) -> None:
        self._hooks = hooks
        self._runtime = runtime
        self._window = window
        self.unverified: dict[Webhook, str] = {}
        """Why a log could not be read when it was looked at last."""

    def shown(
        self, asked: Mapping[int, EventResult], within: timedelta, *, meanwhile: Callable[[], None]
    ) -> Iterator[tuple[int, EventResult]]:
        """Read the logs until they show how each redelivery went, for at most `within`.

        What went unanswered may have been accepted all the same. If the log does not show it,
        only a later run can tell; asking again now could deliver it twice.
        """
        began, waited = self._runtime.clock(), timedelta()
        left = dict(asked)
        while left and waited < within:
            pause = min(max(waited, FIRST_LOOK), LONGEST_PAUSE, within - waited)
            self._runtime.progress("Waiting for the log: seconds", waited.seconds, within.seconds)
            self._runtime.sleep(pause.total_seconds())
            meanwhile()
            for webhook, there in _by_webhook(left).items():
                found = self._look_at(webhook, there)
                if found is None:  # and then it is not read again while others are waited for
                    left = {place: each for place, each in left.items() if place not in there}
                    continue
                for place, result in found.items():
                    del left[place]
                    yield place, result
            waited = max(waited + pause, self._runtime.clock() - began)  # reading takes time, too

    def gone(self, refused: Mapping[int, EventResult]) -> Iterator[tuple[int, EventResult]]:
        """Look once more for what was refused: it may have left the log since it was read."""
        for webhook, there in _by_webhook(refused).items():
            deliveries = [result.decision.delivery for result in there.values()]
            try:
                log = self._hooks[webhook].deliveries()
                missing = gone(log, deliveries, since=self._window.since)
            except RedeliverError:
                continue  # so it stays undealt, and the next run looks at it again
            for place, result in there.items():
                if result.decision.delivery.guid in missing:
                    yield place, result.gone()

    def _look_at(
        self, webhook: Webhook, asked: Mapping[int, EventResult]
    ) -> Mapping[int, EventResult] | None:
        """Return what the log shows of the redeliveries; None if it could not be read."""
        deliveries = [result.decision.delivery for result in asked.values()]
        log = self._hooks[webhook].deliveries()
        try:
            found = redeliveries(log, deliveries, since=self._window.now)
        except RedeliverError as error:
            self.unverified[webhook] = str(error)
            return None
        self.unverified.pop(webhook, None)
        return {
            place: result.verified(found[result.decision.delivery.guid])
            for place, result in asked.items()
            if result.decision.delivery.guid in found
        }


def _by_webhook(results: Mapping[int, EventResult]) -> Mapping[Webhook, Mapping[int, EventResult]]:
    sorted_out: dict[Webhook, dict[int, EventResult]] = {}
    for place, result in results.items():
        sorted_out.setdefault(result.decision.webhook, {})[place] = result
    return sorted_out


SKEW = timedelta(minutes=1)
"""How much earlier than it was asked for a redelivery may seem to be, by the clock of another
of GitHub's servers."""


def redeliveries(
    log: Iterable[Delivery], asked: Iterable[Delivery], *, since: datetime
) -> Mapping[Guid, Delivery]:
    """Return the attempts since then at what was asked for: of each GUID the one that counts.

    That is one that succeeded or else the newest, whoever asked for it. `log` is read no
    further back than it takes.
    """
    before = {delivery.guid: delivery for delivery in asked}
    found: dict[Guid, Delivery] = {}
    for row in _back_to(log, since - SKEW):
        known = before.get(row.guid)
        is_new = known and row.id != known.id and row.delivered_at > known.delivered_at
        if is_new and (row.guid not in found or _counts_more(row, found[row.guid])):
            found[row.guid] = row
    return found


def gone(
    log: Iterable[Delivery], refused: Iterable[Delivery], *, since: datetime
) -> frozenset[Guid]:
    """Return the GUIDs whose delivery is no longer in the log, which was read back to `since`.

    An empty log shows nothing: the deliveries that were just read do not all leave at once.
    """
    missing = {delivery.id: delivery for delivery in refused}
    is_empty = True
    for row in _back_to(log, since):
        is_empty = False
        missing.pop(row.id, None)
    return frozenset() if is_empty else frozenset(d.guid for d in missing.values())


def _counts_more(attempt: Delivery, other: Delivery) -> bool:
    return (attempt.succeeded, attempt.delivered_at) > (other.succeeded, other.delivered_at)


def _back_to(log: Iterable[Delivery], instant: datetime) -> Iterator[Delivery]:
    """Yield the rows since `instant`, and some more, for a row can be in the wrong place."""
    older = 0
    for row in log:
        older = older + 1 if row.delivered_at < instant else 0
        if older >= OLD_ROWS_AT_END:
            return
        yield row
