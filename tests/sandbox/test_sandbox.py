"""The sandbox starts, remembers its requests, and stops."""

import socket
import threading
import time

import pytest
import requests

from github_sandbox import (
    Delay,
    Dropped,
    Fault,
    Hook,
    LostResponse,
    Meanwhile,
    Receiver,
    Request,
    Sandbox,
    Truncated,
)
from tests.sandbox.client import TOKEN, Client, deliveries, is_down


def test_the_sandbox_remembers_requests(client: Client, recorded_hook: Hook) -> None:
    client.get(
        "/api/v3" + deliveries(recorded_hook),
        params={"per_page": 1},
        headers={"X-GitHub-Api-Version": "2022-11-28"},
    )
    Client(client.github, token=None).post("/nowhere")

    assert client.github.requests == [
        Request(
            method="GET",
            path=deliveries(recorded_hook),
            query={"per_page": "1"},
            token=TOKEN,
            api_version="2022-11-28",
            began=0,
            status=200,
        ),
        Request(method="POST", path="/nowhere", query={}, token=None, began=0, status=404),
    ]


def test_the_sandbox_remembers_when_a_request_arrived(client: Client) -> None:
    """It does not remember when the response was sent."""
    handled: list[float] = []
    client.github.inject(Meanwhile(lambda: handled.append(time.monotonic())))

    start = time.monotonic()
    client.get("/nowhere")
    client.get("/nowhere")

    first, second = (request.began for request in client.github.requests)
    assert start <= first <= handled[0] <= second <= time.monotonic()


def test_the_sandbox_counts_concurrent_requests(client: Client) -> None:
    assert client.github.most_at_once == 0

    for _ in range(3):
        client.get("/nowhere")
    assert client.github.most_at_once == 1

    # The client sends each request while the sandbox handles the one before.
    for nth in (1, 2):
        client.github.inject(Meanwhile(lambda: client.get("/nowhere")), nth=nth)
    client.get("/nowhere")
    assert client.github.most_at_once == 3

    client.get("/nowhere")
    assert client.github.most_at_once == 3


@pytest.mark.parametrize("fault", [LostResponse(), Dropped(), Truncated()], ids=repr)
def test_a_dropped_request_no_longer_counts_as_concurrent(client: Client, fault: Fault) -> None:
    client.github.inject(fault, times=3)
    for _ in range(3):
        with pytest.raises(requests.RequestException):
            client.get("/nowhere")

    assert client.github.most_at_once == 1


def test_a_remembered_request_does_not_print_its_token(client: Client) -> None:
    client.get("/nowhere")

    assert TOKEN not in repr(client.github.requests)


def test_sandboxes_do_not_share_anything(client: Client, recorded_hook: Hook) -> None:
    with Sandbox() as another:
        assert another.url != client.github.url
        assert Client(another).get(deliveries(recorded_hook)).status_code == 401


def test_a_sandbox_listens_on_the_port_it_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with Sandbox(port=port) as github:
        assert github.url == f"http://127.0.0.1:{port}"
        with pytest.raises(OSError, match="in use"), Sandbox(port=port):
            pass


def test_a_sandbox_stops_at_once_even_with_work_in_progress(receiver: Receiver) -> None:
    receiver.behave(delay=3600)
    threads = threading.active_count()
    with Sandbox(receiver_timeout=3600) as github:
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook(receiver.url)
        Client(github).redeliver(hook, hook.record())
        github.inject(Delay(3600))
        with pytest.raises(requests.ReadTimeout):
            requests.get(github.url, timeout=0.05)

    assert threading.active_count() == threads
    assert is_down(github.url)
