"""The receiver can be down, without losing its port or what it received."""

import socket
import threading
from urllib.parse import urlsplit

import pytest

from github_sandbox import Hook, Receiver

from .client import eventually


def port_of(receiver: Receiver) -> int:
    port = urlsplit(receiver.url).port
    assert port
    return port


def test_a_receiver_that_goes_down_leaves_a_delivery_unanswered(
    hook: Hook, receiver: Receiver
) -> None:
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


def test_a_receiver_that_is_left_gives_its_port_back() -> None:
    with Receiver() as receiver:
        address = ("127.0.0.1", port_of(receiver))

    socket.create_server(address).close()
