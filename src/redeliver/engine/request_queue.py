"""The events whose redeliveries a run still has to request: the webhooks take turns."""

from collections import deque
from collections.abc import Callable, Iterable

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Webhook
from redeliver.core.plan import evenly_spaced


class RequestQueue:
    """One queue for each webhook; within a webhook, events keep the order in which they came."""

    def __init__(self, keys: Iterable[EventKey]) -> None:
        self._queues: dict[Webhook, deque[EventKey]] = {}
        for key in keys:
            self._queues.setdefault(key.webhook, deque()).append(key)
        self._turns = deque(self._queues)

    def take(self, may_go: Callable[[EventKey], bool]) -> EventKey | None:
        """Remove the event whose turn it is, and return it.

        A webhook whose first event may not go yet misses its turn. Return None if that is so for
        all webhooks.
        """
        for _ in range(len(self._turns)):
            webhook = self._turns.popleft()
            queue = self._queues[webhook]
            key = queue.popleft() if may_go(queue[0]) else None
            if queue:
                self._turns.append(webhook)
            if key:
                return key
        return None

    def put_back(self, key: EventKey) -> None:
        """Add an event that was taken to the end of its webhook's queue."""
        if not self._queues[key.webhook]:
            self._turns.append(key.webhook)
        self._queues[key.webhook].append(key)

    def rest(self) -> list[EventKey]:
        """Return the events that are left, of one webhook after the other."""
        return [key for webhook in self._turns for key in self._queues[webhook]]

    def spread(self, webhook: Webhook, number: int) -> list[EventKey]:
        """Move evenly spaced events of a webhook to its front, and return them.

        They are `number` events, or all that are left.
        """
        left = list(self._queues.get(webhook, ()))
        chosen = evenly_spaced(left, number)
        if chosen:
            self._queues[webhook] = deque(dict.fromkeys([*chosen, *left]))
        return chosen
