"""The methods of a hook: emit, record and redeliver."""

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from github_sandbox import App, Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import Client, deliveries


def test_an_event_of_an_app_names_its_installation(app: App) -> None:
    hook = app.hook("http://127.0.0.1:9/hook")
    hook.record()
    installation = app.install("acme")
    hook.record()

    assert [row["installation_id"] for row in hook.log] == [installation.id, None]


def test_an_inactive_hook_emits_nothing(github: Sandbox, receiver: Receiver) -> None:
    hook = github.repository("acme/shop").hook(receiver.url, active=False)

    with pytest.raises(ValueError, match="not active"):
        hook.emit("push")

    assert receiver.received() == []


def test_many_deliveries_are_spread_evenly_over_a_period(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """The first is at the start of the period, the last at its end."""
    recorded_hook.record_many(5, since=clock() - timedelta(hours=4), until=clock())

    rows = client.get(deliveries(recorded_hook)).json()

    assert [datetime.fromisoformat(row["delivered_at"]) for row in rows] == [
        clock() - timedelta(hours=hours) for hours in range(5)
    ]
    assert all(
        (row["status"], row["status_code"], row["redelivery"]) == ("OK", 200, False) for row in rows
    )
    assert {row["event"] for row in rows} == {"push"}


@pytest.mark.parametrize("count", [0, 1])
def test_few_deliveries_are_recorded_like_many(
    recorded_hook: Hook, clock: VirtualClock, count: int
) -> None:
    recorded_hook.record_many(count, since=clock() - timedelta(hours=1), until=clock())

    instants = [datetime.fromisoformat(row["delivered_at"]) for row in recorded_hook.log]

    assert instants == [clock() - timedelta(hours=1)] * count


def test_each_of_many_deliveries_has_its_own_id_and_guid(
    recorded_hook: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        recorded_hook.record_many(500, since=clock() - timedelta(hours=1), until=clock())

    rows = recorded_hook.log

    assert len({row["id"] for row in rows}) == len({row["guid"] for row in rows}) == 1000
    assert all(str(UUID(row["guid"])) == row["guid"] for row in rows)


def test_many_deliveries_are_sorted_among_those_in_the_log(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        for minutes in (90, 30):
            recorded_hook.record(at=clock() - timedelta(minutes=minutes), status_code=502)
        recorded_hook.record_many(50, since=clock() - timedelta(hours=2), until=clock())

    rows = [row for page in client.pages(recorded_hook, per_page=9) for row in page]
    positions = [(datetime.fromisoformat(row["delivered_at"]), row["id"]) for row in rows]

    assert len(rows) == 104
    assert positions == sorted(positions, reverse=True)
    for status, codes in (("success", {200}), ("failure", {502})):
        pages = client.pages(recorded_hook, per_page=3, status=status)
        assert [row for page in pages for row in page] == [
            row for row in rows if row["status_code"] in codes
        ]


def test_one_of_many_is_shown_and_redelivered_like_any_other(
    client: Client, hook: Hook, receiver: Receiver, clock: VirtualClock
) -> None:
    hook.record_many(3, since=clock() - timedelta(hours=1), until=clock())
    row = hook.log[1]

    shown = client.get(f"{deliveries(hook)}/{row['id']}").json()
    client.redeliver(hook, row["id"])
    client.github.settle()

    assert row.items() <= shown.items()
    [received] = receiver.received()
    assert received.guid == row["guid"]
    assert received.payload == shown["request"]["payload"]


def test_deliveries_can_be_recorded_by_many_threads(recorded_hook: Hook) -> None:
    def record() -> None:
        for _ in range(50):
            recorded_hook.record()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [row["id"] for row in recorded_hook.log]
    assert len(ids) == 400
    assert ids == sorted(ids, reverse=True)
