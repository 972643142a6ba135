"""Events are delivered, and redelivered, over HTTP."""

import hashlib
import hmac
import socket
import threading
from datetime import timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock

from .client import TOKEN, Client, deliveries, eventually


def test_an_event_really_reaches_the_receiver(hook: Hook, receiver: Receiver) -> None:
    guid = hook.emit("issues", action="opened", payload={"number": 1})

    [received] = receiver.received()

    assert (received.guid, received.event, received.status) == (guid, "issues", 200)
    assert received.payload == {"number": 1}
    assert received.signature_valid is True


@pytest.mark.parametrize(
    ("secret", "valid"),
    [
        pytest.param("another", False, id="signed with another secret"),
        pytest.param(None, None, id="not signed"),
    ],
)
def test_the_receiver_tells_a_delivery_that_is(
    github: Sandbox,
    receiver: Receiver,
    secret: str | None,
    valid: bool | None,  # noqa: FBT001 - pytest passes it by name
) -> None:
    github.org("acme").hook(receiver.url, secret=secret).emit("push")

    assert receiver.received()[0].signature_valid is valid


def test_a_delivery_carries_the_headers_of_github(github: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        hook = github.org("acme").hook(url, secret="hush")
        emitting = threading.Thread(target=hook.emit, args=("push",), kwargs={"guid": "g-1"})
        emitting.start()
        connection, _ = listener.accept()
        with connection:
            request = connection.makefile("rb")
            assert request.readline() == b"POST / HTTP/1.1\r\n"
            headers = dict(
                line.decode().strip().split(": ") for line in iter(request.readline, b"\r\n")
            )
            body = request.read(int(headers["Content-Length"]))
            request.close()
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        emitting.join()

    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["Content-Type"] == "application/json"
    assert headers["X-GitHub-Event"] == "push"
    assert headers["X-GitHub-Delivery"] == "g-1"
    assert headers["X-GitHub-Hook-ID"] == str(hook.id)
    assert headers["X-GitHub-Hook-Installation-Target-Type"] == "organization"
    assert headers["X-GitHub-Hook-Installation-Target-ID"].isdigit()
    for name, algorithm in (
        ("X-Hub-Signature", hashlib.sha1),
        ("X-Hub-Signature-256", hashlib.sha256),
    ):
        signature = hmac.new(b"hush", body, algorithm)
        assert headers[name] == f"{signature.name.removeprefix('hmac-')}={signature.hexdigest()}"
    assert hook.log[0]["status"] == "OK"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "OK"),
        (202, "OK"),
        (204, "OK"),
        (302, "Invalid HTTP Response: 302"),
        (404, "Invalid HTTP Response: 404"),
        (500, "Invalid HTTP Response: 500"),
    ],
)
def test_the_log_tells_what_the_receiver_answered(
    hook: Hook, receiver: Receiver, status: int, text: str
) -> None:
    receiver.behave(status=status)

    hook.emit("push")

    assert (hook.log[0]["status"], hook.log[0]["status_code"]) == (text, status)
    assert len(receiver.received()) == 1  # a redirect is not followed


def test_a_receiver_can_fail_for_one_event_only(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(failing_events={"push": 503})

    hook.emit("push")
    hook.emit("issues")

    assert [row["status_code"] for row in hook.log] == [200, 503]
    assert [received.status for received in receiver.received()] == [503, 200]


def test_what_a_receiver_is_told_replaces_what_it_was_told(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(status=500, failing_events={"push": 503})
    receiver.behave()

    hook.emit("push")

    assert hook.log[0]["status"] == "OK"


def test_a_slow_receiver_times_out_but_has_the_event(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    with Sandbox(receiver_timeout=0.2) as github:
        hook = github.org("acme").hook(receiver.url)

        guid = hook.emit("push")

        assert (hook.log[0]["status"], hook.log[0]["status_code"]) == ("timed out", 504)
        eventually(lambda: [received.guid for received in receiver.received()] == [guid])


def test_a_receiver_that_is_down_refuses_connections(hook: Hook, receiver: Receiver) -> None:
    receiver.stop()

    hook.emit("push")

    assert hook.log[0]["status"] == "failed to connect to host"
    assert hook.log[0]["status_code"] == 502
    assert receiver.received() == []


def test_a_receiver_that_dies_while_it_is_asked(github: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook?secret=x"
        hook = github.org("acme").hook(url)
        emitting = threading.Thread(target=hook.emit, args=("push",))
        emitting.start()
        listener.accept()[0].close()
        emitting.join()

    assert hook.log[0]["status"].startswith(f"POST {url} giving up after 1 attempt(s): ")
    assert hook.log[0]["status_code"] == 500


def test_a_restarted_receiver_has_its_port_behaviour_and_memory(
    hook: Hook, receiver: Receiver
) -> None:
    url = receiver.url
    receiver.behave(status=418)
    hook.emit("push")
    receiver.stop()
    receiver.stop()
    receiver.start()
    receiver.start()
    hook.emit("push")

    assert receiver.url == url
    assert [received.status for received in receiver.received()] == [418, 418]


def test_a_redelivery_reaches_the_receiver_and_adds_a_row(
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
    again, still = hook.log
    assert still == failed
    assert again["id"] > failed["id"]
    assert again["delivered_at"].startswith("2026-01-10T01:00:00")
    assert (again["guid"], again["redelivery"], again["status"]) == (guid, True, "OK")


def test_any_delivery_of_a_guid_can_be_redelivered_again_and_again(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    guid = hook.emit("push")
    second = hook.redeliver(hook.log[0]["id"])

    client.redeliver(hook, second)
    client.github.settle()

    assert {row["guid"] for row in hook.log} == {guid}
    assert [row["redelivery"] for row in hook.log] == [True, True, False]
    assert len(receiver.received()) == 3


def test_a_delivery_that_was_only_recorded_is_redelivered_for_real(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    delivery = hook.record(event="issues", action="closed", guid="g-1", status_code=0, status="?")

    client.redeliver(hook, delivery)
    client.github.settle()

    [received] = receiver.received()
    assert (received.guid, received.event) == ("g-1", "issues")
    assert received.payload["action"] == "closed"


def test_a_redelivery_that_fails_is_one_more_failed_row(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(status=500)
    hook.emit("push")

    hook.redeliver(hook.log[0]["id"])

    assert [row["status_code"] for row in hook.log] == [500, 500]


def test_an_unknown_delivery_cannot_be_redelivered(client: Client, hook: Hook) -> None:
    assert client.redeliver(hook, 123).status_code == 404
    with pytest.raises(LookupError, match="123"):
        hook.redeliver(123)


def test_an_accepted_redelivery_has_no_row_until_it_is_over(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    with Sandbox(receiver_timeout=3600) as github:
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        client = Client(github)

        assert client.redeliver(hook, hook.record()).status_code == 202
        eventually(lambda: len(receiver.received()) == 1)

        assert len(client.get(deliveries(hook)).json()) == len(hook.log) == 1


def test_what_is_over_shows_as_late_as_the_clock_says(
    receiver: Receiver, clock: VirtualClock
) -> None:
    with Sandbox(clock=clock) as github:
        github.show_late(3600)
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        client = Client(github)
        recorded = hook.record()

        client.redeliver(hook, recorded)
        github.settle()
        hook.emit("push", at=clock() - timedelta(days=1))

        assert len(hook.log) == 3
        clock.advance(timedelta(minutes=59))
        assert [row["id"] for row in client.get(deliveries(hook)).json()] == [recorded]
        clock.advance(timedelta(minutes=1))
        assert client.get(deliveries(hook)).json() == hook.log


def test_the_api_knows_nothing_of_what_it_does_not_show(
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


def test_rows_can_begin_to_show_late_and_cease_to(
    client: Client, hook: Hook, clock: VirtualClock
) -> None:
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


def test_how_late_a_row_shows_is_settled_when_its_attempt_is_asked_for(
    receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.behave(delay=0.05)
    with Sandbox(clock=clock) as github:
        github.show_late(60)
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        client = Client(github)

        client.redeliver(hook, hook.record())
        github.show_late(0)
        github.settle()

        assert len(client.get(deliveries(hook)).json()) == 1


def test_to_settle_is_to_wait_for_redeliveries_but_not_until_they_show(
    receiver: Receiver,
) -> None:
    receiver.behave(delay=0.05)
    with Sandbox() as github:
        github.show_late(3600)
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        for _ in range(3):
            Client(github).redeliver(hook, hook.record())

        github.settle()

        assert [row["redelivery"] for row in hook.log].count(True) == 3
