"""The webhooks take turns, and a webhook's events can be tried in another order."""

from redeliver.core.decision import EventKey
from redeliver.core.delivery import Guid
from redeliver.engine.request_queue import RequestQueue
from tests.support.builders import a_webhook

ONE, TWO = a_webhook(1), a_webhook(2)


def keys(number: int, webhook: int = 1) -> list[EventKey]:
    return [EventKey(a_webhook(webhook), Guid(f"{webhook}-{n}")) for n in range(number)]


def any_key(_key: EventKey) -> bool:
    return True


def order_of(queue: RequestQueue) -> list[str]:
    taken: list[str] = []
    while key := queue.take(any_key):
        taken.append(key.guid)
    return taken


def test_webhooks_take_turns() -> None:
    queue = RequestQueue([*keys(3), *keys(1, webhook=2)])

    assert order_of(queue) == ["1-0", "2-0", "1-1", "1-2"]
    assert not queue.rest()


def test_a_webhook_that_has_to_wait_misses_its_turn() -> None:
    queue = RequestQueue([*keys(2), *keys(2, webhook=2)])

    taken = [queue.take(lambda key: key.webhook == TWO) for _ in range(3)]

    assert [key and key.guid for key in taken] == ["2-0", "2-1", None]
    assert [key.guid for key in queue.rest()] == ["1-0", "1-1"]


def test_evenly_spaced_events_come_first() -> None:
    queue = RequestQueue(keys(10))

    chosen = queue.spread(ONE, 3)

    assert [key.guid for key in chosen] == ["1-9", "1-6", "1-3"]
    assert order_of(queue) == ["1-9", "1-6", "1-3", "1-0", "1-1", "1-2", "1-4", "1-5", "1-7", "1-8"]


def test_few_events_are_all_chosen() -> None:
    queue = RequestQueue(keys(2))

    assert len(queue.spread(ONE, 3)) == 2
    assert queue.spread(TWO, 3) == []


def test_an_event_that_is_put_back_comes_last() -> None:
    queue = RequestQueue(keys(2))
    first = queue.take(any_key)
    assert first

    queue.put_back(first)

    assert order_of(queue) == ["1-1", "1-0"]


def test_the_last_event_can_be_put_back() -> None:
    queue = RequestQueue(keys(1))
    only = queue.take(any_key)
    assert only

    queue.put_back(only)

    assert order_of(queue) == ["1-0"]
