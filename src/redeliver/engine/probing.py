"""Choose the events that show whether a webhook's receiver is down."""

from collections.abc import Callable, Mapping, Sequence

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import Results


def choose_probes(
    results: Results,
    number: int | None,
    choose: Callable[[Sequence[EventKey], int], list[EventKey]],
) -> Mapping[Webhook, list[EventKey]]:
    """Choose `number` events of each webhook that has more events due; None chooses none.

    They are those with the fewest attempts, because events that their receiver never accepts have
    many, and would fail any probe. `choose` chooses among events with equally many.
    """
    if number is None:
        return {}
    webhooks = dict.fromkeys(key.webhook for key in results)
    due = {webhook: results.due(webhook) for webhook in webhooks}
    return {
        webhook: _least_tried(results, keys, number, choose)
        for webhook, keys in due.items()
        if len(keys) > number
    }


def _least_tried(
    results: Results,
    keys: Sequence[EventKey],
    number: int,
    choose: Callable[[Sequence[EventKey], int], list[EventKey]],
) -> list[EventKey]:
    attempts = {key: results[key].attempts for key in keys}
    limit = sorted(attempts.values())[number - 1]
    fewer = [key for key in keys if attempts[key] < limit]
    equal = [key for key in keys if attempts[key] == limit]
    return fewer + choose(equal, number - len(fewer))
