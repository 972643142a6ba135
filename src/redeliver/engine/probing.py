"""Choose the events that show whether a webhook's receiver is down."""

from collections.abc import Mapping, Sequence

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import Results
from redeliver.core.plan import evenly_spaced


def choose_probes(results: Results, number: int | None) -> Mapping[Webhook, list[EventKey]]:
    """Choose `number` events of each webhook that has more events due; None chooses none."""
    if number is None:
        return {}
    webhooks = dict.fromkeys(key.webhook for key in results)
    due = {webhook: results.due(webhook) for webhook in webhooks}
    return {
        webhook: _probes(results, keys, number)
        for webhook, keys in due.items()
        if len(keys) > number
    }


def _probes(results: Results, keys: Sequence[EventKey], number: int) -> list[EventKey]:
    """Choose events, half of them with the fewest attempts, the others in the order of requests.

    Events that their receiver never accepts have many attempts, and would fail any probe. But there
    can be new ones of these before each run, and then an event with many attempts would never have
    its turn.
    """
    attempts = {key: results[key].attempts for key in keys}
    half = (number + 1) // 2
    limit = sorted(attempts.values())[half - 1]
    fewer = [key for key in keys if attempts[key] < limit]
    equal = [key for key in keys if attempts[key] == limit]
    least_tried = [*fewer, *evenly_spaced(equal, half - len(fewer))]
    return list(dict.fromkeys([*least_tried, *keys]))[:number]
