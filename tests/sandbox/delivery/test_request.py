"""A delivery is an HTTP request, and the log has its outcome in GitHub's words."""

import hashlib
import hmac
import socket
import threading

import pytest

from github_sandbox import Hook, Receiver, Sandbox
from tests.sandbox.client import eventually


def test_an_event_reaches_the_receiver(hook: Hook, receiver: Receiver) -> None:
    guid = hook.emit("issues", action="opened", payload={"number": 1})

    [received] = receiver.received()

    assert (received.guid, received.event, received.status) == (guid, "issues", 200)
    assert received.payload == {"number": 1}
    assert received.signature_valid is True


def test_a_delivery_has_the_headers_of_github(github: Sandbox) -> None:
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
def test_the_log_has_the_receivers_response(
    hook: Hook, receiver: Receiver, status: int, text: str
) -> None:
    receiver.behave(status=status)

    hook.emit("push")

    assert (hook.log[0]["status"], hook.log[0]["status_code"]) == (text, status)
    assert len(receiver.received()) == 1  # a redirect is not followed


def test_a_slow_receiver_times_out_but_gets_the_event(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    with Sandbox(receiver_timeout=0.2) as github:
        hook = github.org("acme").hook(receiver.url)

        guid = hook.emit("push")

        assert (hook.log[0]["status"], hook.log[0]["status_code"]) == ("timed out", 504)
        eventually(lambda: [received.guid for received in receiver.received()] == [guid])


def test_a_lost_connection_is_logged_with_the_url(github: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook?secret=x"
        hook = github.org("acme").hook(url)
        emitting = threading.Thread(target=hook.emit, args=("push",))
        emitting.start()
        listener.accept()[0].close()
        emitting.join()

    assert hook.log[0]["status"].startswith(f"POST {url} giving up after 1 attempt(s): ")
    assert hook.log[0]["status_code"] == 500
