"""See in the logs what came of what was asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from redeliver.core.outcome import EventResult
from redeliver.core.plan import Window
from redeliver.core.webhook import Webhook
from redeliver.engine import look
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
                missing = look.gone(log, deliveries, since=self._window.since)
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
            found = look.redeliveries(log, deliveries, since=self._window.now)
        except RedeliverError as error:
            self.unverified[webhook] = str(error)
            return None
        self.unverified.pop(webhook, None)
        return {
            place: result.shown(found[result.decision.delivery.guid])
            for place, result in asked.items()
            if result.decision.delivery.guid in found
        }


def _by_webhook(results: Mapping[int, EventResult]) -> Mapping[Webhook, Mapping[int, EventResult]]:
    sorted_out: dict[Webhook, dict[int, EventResult]] = {}
    for place, result in results.items():
        sorted_out.setdefault(result.decision.webhook, {})[place] = result
    return sorted_out
