"""The methods of a hook: emit, record and redeliver, switch on and off, and delete."""

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from github_sandbox import App, Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import NOT_FOUND, Client, deliveries, refusal


def test_an_event_of_an_app_names_its_installation(app: App) -> None:
    hook = app.hook("http://127.0.0.1:9/hook")
    hook.record()
    installation = app.install("acme")
    hook.record()

    assert [row["installation_id"] for row in hook.log] == [installation.id, None]


def test_a_hook_knows_the_ids_of_all_attempts_of_an_event(
    recorded_hook: Hook, clock: VirtualClock
) -> None:
    """They are in the order of the log, and include attempts that the API does not show yet."""
    first = recorded_hook.record(guid="a", status_code=502)
    recorded_hook.record(guid="b")
    late = recorded_hook.record(guid="a", shown_at=clock() + timedelta(hours=1))
    old = recorded_hook.record(guid="a", at=clock() - timedelta(hours=1))
    recorded_hook.record(guid="a", at=clock() - timedelta(days=4))

    assert recorded_hook.ids_of("a") == [late, first, old]
    assert recorded_hook.ids_of("c") == []


def test_an_inactive_hook_emits_nothing(github: Sandbox, receiver: Receiver) -> None:
    hook = github.repository("acme/shop").hook(receiver.url, active=False)

    with pytest.raises(ValueError, match="not active"):
        hook.emit("push")

    assert receiver.received() == []


def test_a_hook_that_is_switched_off_emits_nothing(hook: Hook, receiver: Receiver) -> None:
    """It emits again once it is switched on."""
    hook.switch_off()
    with pytest.raises(ValueError, match="not active"):
        hook.emit("push")

    hook.switch_on()
    guid = hook.emit("push")

    assert [received.guid for received in receiver.received()] == [guid]


def test_a_listing_shows_a_hook_that_is_switched_off(
    client: Client, hook: Hook, clock: VirtualClock
) -> None:
    states = []
    for switch in (hook.switch_off, hook.switch_on):
        clock.advance(timedelta(hours=1))
        switch()
        [listed] = client.get("/orgs/acme/hooks").json()
        states.append((listed["active"], listed["created_at"], listed["updated_at"]))

    assert states == [
        (False, "2026-01-10T00:00:00Z", "2026-01-10T01:00:00Z"),
        (True, "2026-01-10T00:00:00Z", "2026-01-10T02:00:00Z"),
    ]


def test_a_hook_that_is_switched_off_still_redelivers(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    """The API redelivers, and so does a user on the website."""
    delivery = hook.record(guid="missed", status_code=502)
    hook.switch_off()

    assert client.redeliver(hook, delivery).status_code == 202
    client.github.settle()
    hook.redeliver(delivery)

    assert [received.guid for received in receiver.received()] == ["missed"] * 2
    rows = client.get(deliveries(hook)).json()
    assert [row["status_code"] for row in rows] == [200, 200, 502]


def test_the_webhook_of_an_app_can_be_switched_off(as_app: Client, app: App) -> None:
    hook = app.hook("http://127.0.0.1:9/hook")
    delivery = hook.record()

    hook.switch_off()

    [row] = as_app.get(deliveries(hook)).json()
    assert row["id"] == delivery
    with pytest.raises(ValueError, match="not active"):
        hook.emit("push")


@pytest.mark.parametrize("owner", ["/orgs/acme", "/repos/acme/shop"])
def test_a_deleted_hook_and_its_deliveries_are_not_found(client: Client, owner: str) -> None:
    organization, repository = client.github.org("acme"), client.github.repository("acme/shop")
    add_hook = organization.hook if owner == "/orgs/acme" else repository.hook
    kept, deleted = (add_hook("http://127.0.0.1:9/hook") for _ in range(2))
    delivery = deleted.record()

    deleted.delete()

    assert [each["id"] for each in client.get(f"{owner}/hooks").json()] == [kept.id]
    for path in (deleted.path, deliveries(deleted), f"{deliveries(deleted)}/{delivery}"):
        assert refusal(client.get(path)) == NOT_FOUND
    assert refusal(client.redeliver(deleted, delivery)) == NOT_FOUND
    assert client.get(deliveries(kept)).status_code == 200


def test_a_deleted_hook_cannot_be_used(recorded_hook: Hook, clock: VirtualClock) -> None:
    """A test can still read its log."""
    delivery = recorded_hook.record()
    recorded_hook.delete()

    for use in (
        recorded_hook.switch_on,
        recorded_hook.switch_off,
        recorded_hook.delete,
        recorded_hook.record,
        lambda: recorded_hook.record_many(1, since=clock(), until=clock()),
        lambda: recorded_hook.emit("push"),
        lambda: recorded_hook.redeliver(delivery),
    ):
        with pytest.raises(LookupError, match=f"{recorded_hook.path} was deleted"):
            use()
    assert [row["id"] for row in recorded_hook.log] == [delivery]


def test_a_redelivery_ends_although_its_hook_is_deleted(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    receiver.behave(delay=0.05)
    client.redeliver(hook, hook.record(status_code=502))

    hook.delete()
    client.github.settle()

    assert [row["status_code"] for row in hook.log] == [200, 502]


def test_the_webhook_of_an_app_cannot_be_deleted(as_app: Client, app: App) -> None:
    hook = app.hook("http://127.0.0.1:9/hook")

    with pytest.raises(ValueError, match="cannot be deleted, only switched off"):
        hook.delete()

    assert as_app.get(deliveries(hook)).status_code == 200


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
