"""The receiver can fail, be slow and be down, and keeps its port and its memory."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from github_sandbox import Hook, Receiver, Sandbox
from tests.sandbox.client import eventually, is_down


def port_of(receiver: Receiver) -> int:
    port = urlsplit(receiver.url).port
    assert port
    return port


@pytest.mark.parametrize(
    ("secret", "valid"),
    [
        pytest.param("another", False, id="signed with another secret"),
        pytest.param(None, None, id="not signed"),
    ],
)
def test_a_receiver_recognizes_a_wrong_or_missing_signature(
    github: Sandbox, receiver: Receiver, secret: str | None, *, valid: bool | None
) -> None:
    github.org("acme").hook(receiver.url, secret=secret).emit("push")

    assert receiver.received()[0].signature_valid is valid


def test_a_receiver_can_fail_for_one_event_only(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(failing_events={"push": 503})

    hook.emit("push")
    hook.emit("issues")

    assert [row["status_code"] for row in hook.log] == [200, 503]
    assert [received.status for received in receiver.received()] == [503, 200]


def test_a_new_behaviour_replaces_the_old_one(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(status=500, failing_events={"push": 503})
    receiver.behave()

    hook.emit("push")

    assert hook.log[0]["status"] == "OK"


def test_a_receiver_that_is_down_refuses_connections(hook: Hook, receiver: Receiver) -> None:
    receiver.stop()

    hook.emit("push")

    assert hook.log[0]["status"] == "failed to connect to host"
    assert hook.log[0]["status_code"] == 502
    assert receiver.received() == []


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


def test_a_receiver_stops_after_its_with_block() -> None:
    with Receiver() as receiver:
        url = receiver.url

    assert is_down(url)


def test_a_receiver_does_not_outlive_its_process(tmp_path: Path) -> None:
    killed_with_a_receiver = """if True:
        import os, github_sandbox
        with github_sandbox.Receiver() as receiver:
            print(receiver.url, flush=True)
            os.kill(os.getpid(), 9)
    """
    parent = subprocess.run(
        [sys.executable, "-c", killed_with_a_receiver],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    url = parent.stdout.decode().strip()

    eventually(lambda: is_down(url))


def test_a_delivery_fails_if_its_receiver_goes_down(hook: Hook, receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    emitting = threading.Thread(target=hook.emit, args=("push",))
    emitting.start()
    eventually(lambda: len(receiver.received()) == 1)

    receiver.stop()
    emitting.join()

    assert hook.log[0]["status_code"] == 500
    assert hook.log[0]["status"].startswith(f"POST {receiver.url} giving up after 1 attempt(s): ")
    assert len(receiver.received()) == 1


def test_a_receiver_that_is_down_keeps_its_port(receiver: Receiver) -> None:
    address = ("127.0.0.1", port_of(receiver))
    receiver.stop()

    with pytest.raises(OSError, match="in use"):
        socket.create_server(address)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        socket.create_connection(listener.getsockname(), source_address=address)


def test_a_receiver_gives_its_port_back_after_its_with_block() -> None:
    with Receiver() as receiver:
        address = ("127.0.0.1", port_of(receiver))

    socket.create_server(address).close()
