"""Choose the events that show whether a webhook's receiver is down."""

from collections.abc import Mapping, Sequence

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Webhook
from redeliver.core.outcome import Outcome, Results
from redeliver.core.plan import evenly_spaced
from redeliver.core.window import Window


def choose_probes(
    results: Results, number: int | None, window: Window
) -> Mapping[Webhook, list[EventKey]]:
    """Choose `number` events of each webhook that has more events due; None chooses none.

    Half of them are those with the fewest attempts, the others are next in the order of requests.
    Of an odd number, the run's place in the rotation decides which half is larger.
    """
    if number is None:
        return {}
    least_tried = (number + 1) // 2 if window.phase < 1 / 2 else number // 2
    webhooks = dict.fromkeys(key.webhook for key in results)
    due = {webhook: results.due(webhook) for webhook in webhooks}
    return {
        webhook: _probes(results, keys, number, least_tried=least_tried)
        for webhook, keys in due.items()
        if len(keys) > number
    }


def why_down(results: Results, probes: Sequence[EventKey]) -> str:
    """Return why a webhook's receiver is taken for down; empty if not all of its probes failed."""
    if {results[key].outcome for key in probes} != {Outcome.STILL_FAILING}:
        return ""
    failed = "the probe failed" if len(probes) == 1 else f"all {len(probes)} probes failed"
    return f"{failed}, so the receiver seems to be down"


def _probes(
    results: Results, keys: Sequence[EventKey], number: int, *, least_tried: int
) -> list[EventKey]:
    """Choose events, `least_tried` of them with the fewest attempts.

    Events that their receiver never accepts have many attempts, and would fail any probe. But there
    can be new ones of these before each run, and then an event with many attempts would never have
    its turn.
    """
    attempts = {key: results[key].attempts for key in keys}
    limit = sorted(attempts.values())[max(least_tried - 1, 0)]
    fewer = [key for key in keys if attempts[key] < limit]
    equal = [key for key in keys if attempts[key] == limit]
    chosen = [*fewer, *evenly_spaced(equal, least_tried - len(fewer))]
    return list(dict.fromkeys([*chosen, *keys]))[:number]
