"""Redeliveries run in the background, and the API may show them late."""

from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import TOKEN, Client, deliveries, eventually


def test_a_redelivery_reaches_the_receiver_and_is_logged(
    client: Client, hook: Hook, receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.stop()
    guid = hook.emit("push", payload={"ref": "main"})
    [failed] = hook.log
    receiver.start()
    clock.advance(timedelta(hours=1))

    response = client.redeliver(hook, failed["id"])
    client.github.settle()

    assert (response.status_code, response.json()) == (202, {})
    [received] = receiver.received()
    assert (received.guid, received.payload) == (guid, {"ref": "main"})
    assert received.signature_valid is True
    redelivery, original = hook.log
    assert original == failed
    assert redelivery["id"] > failed["id"]
    assert redelivery["delivered_at"].startswith("2026-01-10T01:00:00")
    assert (redelivery["guid"], redelivery["redelivery"]) == (guid, True)
    assert redelivery["status"] == "OK"


def test_any_delivery_of_a_guid_can_be_redelivered_repeatedly(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    guid = hook.emit("push")
    second = hook.redeliver(hook.log[0]["id"])

    client.redeliver(hook, second)
    client.github.settle()

    assert {row["guid"] for row in hook.log} == {guid}
    assert [row["redelivery"] for row in hook.log] == [True, True, False]
    assert len(receiver.received()) == 3


def test_a_recorded_delivery_can_be_redelivered(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    delivery = hook.record(event="issues", action="closed", guid="g-1", status_code=0, status="?")

    client.redeliver(hook, delivery)
    client.github.settle()

    [received] = receiver.received()
    assert (received.guid, received.event) == ("g-1", "issues")
    assert received.payload["action"] == "closed"


def test_a_failed_redelivery_is_logged_as_another_failure(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(status=500)
    hook.emit("push")

    hook.redeliver(hook.log[0]["id"])

    assert [row["status_code"] for row in hook.log] == [500, 500]


def test_an_unknown_delivery_cannot_be_redelivered(client: Client, hook: Hook) -> None:
    assert client.redeliver(hook, 123).status_code == 404
    with pytest.raises(LookupError, match="123"):
        hook.redeliver(123)


def test_a_running_redelivery_is_not_in_the_log(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    with Sandbox(receiver_timeout=3600) as github:
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        client = Client(github)

        assert client.redeliver(hook, hook.record()).status_code == 202
        eventually(lambda: len(receiver.received()) == 1)

        assert len(client.get(deliveries(hook)).json()) == len(hook.log) == 1


def test_a_delivery_is_shown_late_by_the_clock(
    client: Client, hook: Hook, clock: VirtualClock
) -> None:
    client.github.show_late(3600)
    recorded = hook.record()

    client.redeliver(hook, recorded)
    client.github.settle()
    hook.emit("push", at=clock() - timedelta(days=1))

    assert len(hook.log) == 3
    clock.advance(timedelta(minutes=59))
    assert [row["id"] for row in client.get(deliveries(hook)).json()] == [recorded]
    clock.advance(timedelta(minutes=1))
    assert client.get(deliveries(hook)).json() == hook.log


def test_a_delivery_that_is_not_shown_yet_is_not_found(
    client: Client, hook: Hook, receiver: Receiver, clock: VirtualClock
) -> None:
    late = hook.record(shown_at=clock() + timedelta(hours=1))
    path = f"{deliveries(hook)}/{late}"

    assert client.get(path).status_code == 404
    assert client.redeliver(hook, late).status_code == 404

    clock.advance(timedelta(hours=1))

    assert client.get(path).status_code == 200
    assert client.redeliver(hook, late).status_code == 202
    client.github.settle()
    assert len(receiver.received()) == 1


def test_lateness_can_begin_and_end(client: Client, hook: Hook, clock: VirtualClock) -> None:
    on_time = hook.emit("push")
    client.github.show_late(60)
    late = hook.emit("push")
    client.github.show_late(0)
    again_on_time = hook.emit("push")

    def shown() -> list[str]:
        return [row["guid"] for row in client.get(deliveries(hook)).json()]

    assert shown() == [again_on_time, on_time]
    clock.advance(timedelta(seconds=60))
    assert shown() == [again_on_time, late, on_time]


def test_lateness_is_fixed_when_the_redelivery_is_requested(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    receiver.behave(delay=0.05)
    client.github.show_late(60)

    client.redeliver(hook, hook.record())
    client.github.show_late(0)
    client.github.settle()

    assert len(client.get(deliveries(hook)).json()) == 1


def test_settle_waits_for_redeliveries_but_not_until_they_show(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    receiver.behave(delay=0.05)
    client.github.show_late(3600)
    for _ in range(3):
        client.redeliver(hook, hook.record())

    client.github.settle()

    assert [row["redelivery"] for row in hook.log].count(True) == 3
