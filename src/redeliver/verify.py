"""See in the logs what came of what was asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from redeliver import look
from redeliver.errors import RedeliverError
from redeliver.outcome import Outcome
from redeliver.plan import Window
from redeliver.ports import Hook, Surroundings
from redeliver.webhook import Webhook

FIRST_LOOK = timedelta(seconds=1)
"""How long after the asking the log is looked at first; then after as long again each time, for
most receivers answer at once, and some never do."""

LONGEST_PAUSE = timedelta(seconds=30)


class Verification:
    """Looks at the logs again, and gives the outcomes that they change.

    An outcome is known by its place in the plan.
    """

    def __init__(
        self, hooks: Mapping[Webhook, Hook], around: Surroundings, *, window: Window
    ) -> None:
        self._hooks = hooks
        self._around = around
        self._window = window
        self.unverified: dict[Webhook, str] = {}
        """Why a log could not be read when it was looked at last."""

    def shown(
        self, asked: Mapping[int, Outcome], within: timedelta, *, meanwhile: Callable[[], None]
    ) -> Iterator[tuple[int, Outcome]]:
        """Read the logs until they show how each redelivery went, for at most `within`.

        What went unanswered may have been accepted all the same. If the log does not show it,
        only a later run can tell; asking again now could deliver it twice.
        """
        began, waited = self._around.clock(), timedelta()
        left = dict(asked)
        while left and waited < within:
            pause = min(max(waited, FIRST_LOOK), LONGEST_PAUSE, within - waited)
            self._around.progress("Waiting for the log: seconds", waited.seconds, within.seconds)
            self._around.sleep(pause.total_seconds())
            meanwhile()
            for webhook, there in _by_webhook(left).items():
                found = self._look_at(webhook, there)
                if found is None:  # and then it is not read again while others are waited for
                    left = {place: each for place, each in left.items() if place not in there}
                    continue
                for place, outcome in found.items():
                    del left[place]
                    yield place, outcome
            waited = max(waited + pause, self._around.clock() - began)  # reading takes time, too

    def gone(self, refused: Mapping[int, Outcome]) -> Iterator[tuple[int, Outcome]]:
        """Look once more for what was refused: it may have left the log since it was read."""
        for webhook, there in _by_webhook(refused).items():
            deliveries = [outcome.decision.delivery for outcome in there.values()]
            try:
                log = self._hooks[webhook].deliveries()
                missing = look.gone(log, deliveries, since=self._window.since)
            except RedeliverError:
                continue  # so it stays undealt, and the next run looks at it again
            for place, outcome in there.items():
                if outcome.decision.delivery.guid in missing:
                    yield place, outcome.left_the_log()

    def _look_at(
        self, webhook: Webhook, asked: Mapping[int, Outcome]
    ) -> Mapping[int, Outcome] | None:
        """Return what the log shows of the redeliveries; None if it could not be read."""
        deliveries = [outcome.decision.delivery for outcome in asked.values()]
        log = self._hooks[webhook].deliveries()
        try:
            found = look.redeliveries(log, deliveries, since=self._window.now)
        except RedeliverError as error:
            self.unverified[webhook] = str(error)
            return None
        self.unverified.pop(webhook, None)
        return {
            place: outcome.shown(found[outcome.decision.delivery.guid])
            for place, outcome in asked.items()
            if outcome.decision.delivery.guid in found
        }


def _by_webhook(outcomes: Mapping[int, Outcome]) -> Mapping[Webhook, Mapping[int, Outcome]]:
    sorted_out: dict[Webhook, dict[int, Outcome]] = {}
    for place, outcome in outcomes.items():
        sorted_out.setdefault(outcome.decision.webhook, {})[place] = outcome
    return sorted_out
