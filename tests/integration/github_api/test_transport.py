"""Invalid and slow responses, connections, and secrets in responses."""

import gc
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Barrier, Event, Thread
from threading import enumerate as enumerate_threads

import pytest

from github_sandbox import Fault, Hook, InvalidBody, Sandbox, Status, Truncated
from redeliver.core.delivery import HookId
from redeliver.errors import AccessError, UnavailableError, UnreachableError
from redeliver.github_api.connection import SOCKET_SECONDS, Request
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.network_errors import NoResponseError
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import Response
from redeliver.github_api.transport import DEADLINE_SECONDS, Transport
from redeliver.github_api.webhooks import organization_hook
from tests.support.builders import TOKEN
from tests.support.sandboxes import a_client, a_delivery_log, rows_of

LOG = ".*/deliveries"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
SOON = 30
"""Seconds after which a test that hangs fails."""


@contextmanager
def a_server(respond: Callable[[socket.socket, int], object]) -> Iterator[str]:
    """Start a server, and yield its URL.

    For each request, it calls `respond` with the number of the connection, in a thread.
    """

    def accept() -> None:
        number = 0
        with suppress(OSError):  # the test is over
            while True:
                connection, _ = listener.accept()
                number += 1
                Thread(target=serve, args=(connection, number), daemon=True).start()

    def serve(connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            while connection.recv(65536):
                respond(connection, number)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)  # closing it would not end `accept`


def send(transport: Transport) -> Response:
    purpose = Permission(inputs="'hook-id'").to("read the log")
    request = Request(method="GET", path="/", purpose=purpose, parameters={}, body=None)
    return transport.send(request, token=TOKEN)


def test_a_response_that_never_ends_misses_the_deadline() -> None:
    """A byte comes now and then, so each wait of the socket is short."""
    is_over = Event()

    def drip(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not is_over.wait(0.01):
            connection.sendall(b"x")

    with a_server(drip) as url:
        with pytest.raises(NoResponseError) as caught:
            send(Transport(url, deadline=0.2))
        is_over.set()

    host = url.removeprefix("http://")
    assert str(caught.value) == f"no complete response from {host} within 0.2 s"
    assert (caught.value.is_transient, caught.value.may_be_done) == (True, True)


def test_a_second_address_is_tried_within_the_30_seconds() -> None:
    assert 2 * SOCKET_SECONDS == DEADLINE_SECONDS == 30


def test_a_connection_that_missed_a_deadline_is_not_used_again() -> None:
    """Its response could be taken for that of the next request."""
    is_over = Event()

    def respond(connection: socket.socket, number: int) -> None:
        if number == 1:
            is_over.wait(SOON)
        connection.sendall(HEAD + f"{number:>2}".encode())

    with a_server(respond) as url:
        transport = Transport(url, deadline=0.2)
        with pytest.raises(NoResponseError):
            send(transport)
        is_over.set()
        texts = [send(transport).text for _ in range(2)]

    assert texts == [" 2", " 2"]


def test_simultaneous_requests_have_connections_of_their_own() -> None:
    together = Barrier(3)

    def respond(connection: socket.socket, number: int) -> None:
        together.wait(SOON)
        connection.sendall(HEAD + f"{number:>2}".encode())

    with a_server(respond) as url, ThreadPoolExecutor(max_workers=3) as pool:
        transport = Transport(url)
        rounds = [
            {response.text for response in pool.map(lambda _: send(transport), range(3))}
            for _ in range(2)
        ]

    assert rounds == [{" 1", " 2", " 3"}] * 2


@pytest.mark.parametrize(
    "charset",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"; charset=latin-1", id="another one"),
        pytest.param(b"; charset=\xe9", id="one that is not ascii"),
    ],
)
def test_a_response_is_utf8_whatever_charset_it_names(charset: bytes) -> None:
    """Python 3.15 warns about a name that is not ASCII. In these tests, a warning is an error."""
    head = HEAD.replace(b"/json", b"/json" + charset)

    with a_server(lambda connection, _: connection.sendall(head + b"\xc3\xa9")) as url:
        response = send(Transport(url))

    assert response.text == "é"


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_requests_go_below_the_path_of_the_api(
    github: Sandbox, recorded_hook: Hook, prefix: str
) -> None:
    """The URLs in a response begin like that of its request. Enterprise Server has a prefix."""
    purpose = Permission(inputs="'org'").to("read the webhooks")
    client = a_client(f"{github.url}{prefix}")

    [hook] = client.request("GET", "/orgs/acme/hooks", purpose, expect={200}).json()

    assert hook["url"] == f"{github.url}{prefix}/orgs/acme/hooks/{recorded_hook.id}"
    assert [request.api_version for request in github.requests] == ["2022-11-28"]


def test_writes_follow_each_other_without_a_pause(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog
) -> None:
    """Only `throttle` decides. PyGithub would wait for a second before each further write."""
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    start = time.monotonic()

    for _ in range(4):
        log.redeliver(delivery)

    assert time.monotonic() - start < 2
    assert len(github.requests) == 1 + 4


def test_a_request_without_a_response_lets_python_end() -> None:
    is_over, before = Event(), set(enumerate_threads())

    def respond(_connection: socket.socket, _number: int) -> None:
        is_over.wait(SOON)

    with a_server(respond) as url:
        with pytest.raises(NoResponseError):
            send(Transport(url, deadline=0.1))
        threads = set(enumerate_threads()) - before
        is_over.set()

    assert threads
    assert all(thread.daemon for thread in threads)


def test_an_unexpected_error_of_a_request_is_not_hidden() -> None:
    """It would be a bug in redeliver or in PyGithub."""
    purpose = Permission(inputs="'hook-id'").to("read the log")
    body = {"not JSON": object()}
    request = Request(method="PATCH", path="/", purpose=purpose, parameters={}, body=body)

    with pytest.raises(TypeError):
        Transport("http://127.0.0.1:9").send(request, token=TOKEN)


def test_an_unreachable_github_is_an_error() -> None:
    client = a_client("http://127.0.0.1:9")
    log = organization_hook(client, "https://github.com", "acme", HookId(7))

    with pytest.raises(UnreachableError, match=r"cannot connect to 127\.0\.0\.1:9"):
        list(rows_of(log))


def test_an_error_keeps_no_socket_open() -> None:
    """Nothing that it refers to refers to it, so it does not need the garbage collector."""
    gc.disable()
    try:
        with suppress(NoResponseError):
            send(Transport("http://127.0.0.1:9"))
        errors = [found for found in gc.get_objects() if isinstance(found, NoResponseError)]
        assert [error for error in errors if "127.0.0.1:9 " in str(error)] == []
    finally:
        gc.enable()


def test_an_error_does_not_quote_a_body_that_is_not_json(github: Sandbox, log: DeliveryLog) -> None:
    github.inject(InvalidBody(body=b"<html>hush</html>"), path=LOG)

    with pytest.raises(
        UnavailableError,
        match=r"response \(200\) did not come from GitHub's API\. Check 'hostname'",
    ) as caught:
        list(rows_of(log))

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(InvalidBody(body=b'[{"id": 1'), id="incomplete JSON"),
        pytest.param(Truncated(), id="a truncated body"),
        pytest.param(InvalidBody(body=b"[" * 100_000), id="JSON that is nested too deeply"),
    ],
)
def test_an_invalid_body_is_an_error(github: Sandbox, log: DeliveryLog, fault: Fault) -> None:
    github.inject(fault, path=LOG, times=None)

    with pytest.raises(UnavailableError):
        list(rows_of(log))


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 418])
def test_an_error_status_of_another_server_is_recognized(
    github: Sandbox, log: DeliveryLog, status: int
) -> None:
    """The website of Enterprise Server, for example, redirects to its login page."""
    github.inject(InvalidBody(status=status), path=LOG)

    with pytest.raises(
        UnavailableError, match=rf"response \({status}\) did not come from GitHub's API"
    ):
        list(rows_of(log))


@pytest.mark.parametrize(
    "remaining",
    [pytest.param("many", id="text"), pytest.param("1e999", id="a number that is out of range")],
)
def test_an_invalid_rate_limit_header_is_an_error(
    github: Sandbox, log: DeliveryLog, remaining: str
) -> None:
    headers = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Limit": "most"}
    github.inject(Status(200, body=[], headers=headers), path=LOG)

    with pytest.raises(UnavailableError, match="no usable response"):
        list(rows_of(log))


def test_a_202_to_a_read_is_an_error_and_not_repeated(github: Sandbox, log: DeliveryLog) -> None:
    github.inject(Status(202, body={}), path=LOG, times=None)

    with pytest.raises(
        UnavailableError, match="responded 202, which means that the result is not ready yet"
    ) as caught:
        list(rows_of(log))

    assert not isinstance(caught.value, UnreachableError)
    assert len(github.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_an_error_and_not_followed(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, status: int
) -> None:
    """No other server gets the token."""
    headers = {"Location": "http://localhost:9/elsewhere"}
    github.inject(Status(status, "Moved", headers=headers), path=".*", times=None)
    recorded_hook.record()

    with pytest.raises(UnavailableError, match=r"a redirect\. redeliver does not follow redirects"):
        list(rows_of(log))

    assert len(github.requests) == 1


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        pytest.param(f"who is {TOKEN}?", {}, id="the token in a message"),
        pytest.param("Not Found", {"X-OAuth-Scopes": "in?token=hush"}, id="a URL in a header"),
    ],
)
def test_a_secret_that_the_server_echoes_is_not_shown(
    github: Sandbox, log: DeliveryLog, message: str, headers: dict[str, str]
) -> None:
    github.inject(Status(404, message, headers=headers), path=LOG)

    with pytest.raises(AccessError) as caught:
        list(rows_of(log))

    assert TOKEN not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_token_of_one_letter_is_not_redacted_in_responses(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.token("e", organization_hooks="write")
    recorded_hook.record(event="release")

    [delivery] = rows_of(a_delivery_log(github, recorded_hook, a_client(github.url, "e")))

    assert delivery.event == "release"
