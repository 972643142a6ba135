"""A log that is sorted by id: the entry that was written last comes first, whatever its time."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import TOKEN, Client, deliveries, eventually

HOURS_AGO = [3, 0, 5, 1, 0, 2, 4]
CODES = [200, 502, 502, 200, 0, 404, 200]


@pytest.fixture
def github(clock: VirtualClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, sort_logs_by="id", receiver_timeout=3600) as github:
        github.token(TOKEN, organization_hooks="write")
        yield github


def record_all(hook: Hook, clock: VirtualClock) -> list[tuple[int, int]]:
    """Record deliveries at several times, and return their ids and codes, last written first."""
    return [
        (hook.record(at=clock() - timedelta(hours=hours), status="?", status_code=code), code)
        for hours, code in zip(HOURS_AGO, CODES, strict=True)
    ][::-1]


def test_a_delivery_that_is_logged_late_comes_first(
    client: Client, hook: Hook, receiver: Receiver, clock: VirtualClock
) -> None:
    """Its time is when it began, but the log has it only after its end."""
    receiver.behave(delay=3600)
    client.redeliver(hook, hook.record(guid="slow", status_code=502))
    eventually(lambda: len(receiver.received()) == 1)
    clock.advance(timedelta(seconds=5))
    hook.record(guid="later")

    receiver.stop()
    client.github.settle()

    rows = client.get(deliveries(hook)).json()
    assert [row["guid"] for row in rows] == ["slow", "later", "slow"]
    assert rows == hook.log
    assert hook.ids_of("slow") == [rows[0]["id"], rows[2]["id"]]
    assert rows[0]["delivered_at"] < rows[1]["delivered_at"]


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        pytest.param(None, range(600), id="no filter"),
        pytest.param("success", range(200, 400), id="success"),
        pytest.param("failure", range(400, 600), id="failure"),
    ],
)
@pytest.mark.parametrize("per_page", [1, 2, 3])
def test_the_pages_of_a_log_sorted_by_id_are_in_its_order(
    client: Client,
    recorded_hook: Hook,
    clock: VirtualClock,
    status: str | None,
    codes: range,
    per_page: int,
) -> None:
    recorded = record_all(recorded_hook, clock)

    pages = client.pages(recorded_hook, per_page=per_page, status=status)

    assert [row["id"] for page in pages for row in page] == [
        delivery for delivery, code in recorded if code in codes
    ]
    assert {len(page) for page in pages[:-1]} <= {per_page}


def test_a_late_delivery_is_not_on_a_later_page(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """A client that has already read the first page does not see it."""
    ids = [delivery for delivery, _ in record_all(recorded_hook, clock)]
    first = client.get(deliveries(recorded_hook), params={"per_page": 2})

    late = recorded_hook.record(at=clock() - timedelta(hours=2, minutes=30))
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in first.json() + second.json()] == ids[:4]
    assert client.pages(recorded_hook)[0][0]["id"] == late


def test_an_old_delivery_does_not_end_a_log_sorted_by_id(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """A delivery older than the retention is gone, but not those that were written before it."""
    kept: list[int] = []
    for days in (1, 4, 0, 5, 2, 4):
        delivery = recorded_hook.record(at=clock() - timedelta(days=days), status_code=502)
        if days < 3:
            kept.insert(0, delivery)

    for status in (None, "failure"):
        pages = client.pages(recorded_hook, per_page=1, status=status)
        assert [[row["id"] for row in page] for page in pages] == [[each] for each in kept]
    assert [row["id"] for row in recorded_hook.log] == kept


def test_a_page_can_follow_a_delivery_that_is_gone(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """The page has no link back to it, and may also begin with one that is gone."""
    young = recorded_hook.record()
    for _ in range(2):
        recorded_hook.record(at=clock() - timedelta(days=2, hours=23))
    first = client.get(deliveries(recorded_hook), params={"per_page": 1})

    clock.advance(timedelta(hours=2))
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in second.json()] == [young]
    assert second.links == {}


def test_many_deliveries_come_in_the_order_of_writing(
    recorded_hook: Hook, clock: VirtualClock
) -> None:
    first = recorded_hook.record()
    recorded_hook.record_many(50, since=clock() - timedelta(hours=2), until=clock())
    last = recorded_hook.record(at=clock() - timedelta(hours=1))

    ids = [row["id"] for row in recorded_hook.log]

    assert (ids[0], ids[-1], len(ids)) == (last, first, 52)
    assert ids == sorted(ids, reverse=True)
