"""What GitHub responds to the redeliveries of one webhook, and when to request no more of them.

One redelivery that GitHub refuses or does not respond to must not stop the others. So when
several requests in a row fail in a way that may concern the whole webhook, a few events from
elsewhere in its queue are tried before it is stopped.
"""

from collections.abc import Iterable

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Webhook
from redeliver.errors import RedeliverError, RefusalError, UnavailableError

HANDFUL = 5
"""How many requests in a row must fail before others are tried, and how many others are tried."""


class Responses:
    """The responses about one webhook in this run."""

    def __init__(self) -> None:
        self._is_permitted = False
        """Whether it is certain that no permission is missing."""
        self._refusals = 0
        """How many redeliveries were refused for a reason that may concern the webhook."""
        self._has_other_responses = False
        self.failed_in_a_row = 0
        """How many requests in a row failed in a way that may concern the webhook."""
        self._last_error: RedeliverError | None = None
        """The error of the last of these."""
        self._trial: set[EventKey] = set()
        """The events from elsewhere in the queue that still have to be tried."""
        self._is_in_trial = False

    @property
    def needs_trial(self) -> bool:
        """Whether other events have to be tried now."""
        return self.failed_in_a_row >= HANDFUL and not self._is_in_trial

    @property
    def has_failed(self) -> bool:
        """Whether the other events failed, too."""
        return self._is_in_trial and not self._trial

    @property
    def refused_because(self) -> RedeliverError | None:
        """Why all redeliveries are refused, such as a missing permission; None if they are not."""
        return self._last_error.if_all if isinstance(self._last_error, RefusalError) else None

    def why_stopped(self, webhook: Webhook) -> str:
        """Say why no more redeliveries to the webhook are requested."""
        if self.refused_because:
            return str(self.refused_because)
        return (
            f"GitHub sent no usable response to {self.failed_in_a_row} requests in a row to "
            f"redeliver to {webhook.name}, so this run requested no more of them"
        )

    def few_refusals(self, webhook: Webhook) -> str:
        """Say what may be wrong if all redeliveries to the webhook were refused, but few.

        Return an empty text if that is not so.
        """
        if not self.refused_because or self._has_other_responses:
            return ""
        number = self._refusals
        refused = "the only redelivery" if number == 1 else f"all {number} redeliveries"
        return (
            f"GitHub refused {refused} to {webhook.name}. If it refuses all of them in later runs, "
            f"too, this may be the reason: {self.refused_because}"
        )

    def try_others(self, keys: Iterable[EventKey]) -> None:
        """Begin a trial with these events, if there are any."""
        self._trial = set(keys)
        self._is_in_trial = bool(self._trial)

    def may_go(self, key: EventKey) -> bool:
        """Whether an event may be redelivered now; during a trial, only those of the trial may."""
        return not self._is_in_trial or key in self._trial

    def record(self, key: EventKey, error: RedeliverError | None) -> None:
        """Record the response to one request; `error` is None if GitHub accepted it."""
        # GitHub checks permissions before it refuses an event for a reason of the event's own.
        is_general = isinstance(error, RefusalError) and error.if_all is not None
        self._is_permitted |= error is None or (isinstance(error, RefusalError) and not is_general)
        self._refusals += is_general
        self._has_other_responses |= not is_general
        if error is None or not self._may_concern_all(error):
            self._clear()
            return
        self._last_error = error
        self.failed_in_a_row += 1
        self._trial.discard(key)

    def permit(self) -> None:
        """Take the refusals so far for refusals of single events: no permission is missing."""
        self._is_permitted = True
        self._clear()

    def _clear(self) -> None:
        self.failed_in_a_row = 0
        self._is_in_trial = False
        self._trial = set()
        self._last_error = None

    def _may_concern_all(self, error: RedeliverError) -> bool:
        """Whether a failure may concern all events of the webhook."""
        if isinstance(error, RefusalError):
            return error.if_all is not None and not self._is_permitted
        return isinstance(error, UnavailableError)
