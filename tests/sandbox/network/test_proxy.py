"""The proxy opens tunnels, and does nothing else."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from github_sandbox import Proxy, Sandbox


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


def get_through(proxy: Proxy, url: str, certificate: Path) -> requests.Response:
    proxies = {"http": proxy.url, "https": proxy.url}
    return requests.get(url, proxies=proxies, verify=str(certificate), timeout=10)


def test_a_proxy_tunnels_to_the_requested_address(
    proxy: Proxy, secure: Sandbox, certificate: Path
) -> None:
    for _ in range(2):
        assert get_through(proxy, f"{secure.url}/rate_limit", certificate).status_code == 401

    assert proxy.connections == [secure.url.removeprefix("https://")] * 2
    assert len(secure.requests) == 2


def test_a_proxy_does_nothing_but_tunnel(proxy: Proxy, github: Sandbox, certificate: Path) -> None:
    assert get_through(proxy, f"{github.url}/rate_limit", certificate).status_code == 405
    assert (proxy.connections, github.requests) == ([], [])


def test_a_proxy_responds_with_502_if_it_cannot_connect(proxy: Proxy, certificate: Path) -> None:
    with pytest.raises(requests.exceptions.ProxyError, match="502"):
        get_through(proxy, "https://127.0.0.1:9/", certificate)

    assert proxy.connections == ["127.0.0.1:9"]


def test_a_proxy_stops_at_once_even_with_open_tunnels() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        with Proxy() as proxy:
            client = socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])))
            client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % nobody.getsockname()[1])
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        with client:
            assert client.recv(100) == b""


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_can_refuse_every_connection(
    secure: Sandbox, certificate: Path, status: int
) -> None:
    with Proxy(refuses_with=status) as proxy:
        for _ in range(2):
            with pytest.raises(requests.exceptions.ProxyError, match=str(status)):
                get_through(proxy, secure.url, certificate)

    assert proxy.connections == [secure.url.removeprefix("https://")] * 2
    assert secure.requests == []


def test_a_proxy_can_hang_up_on_some_connections(
    proxy: Proxy, secure: Sandbox, certificate: Path
) -> None:
    proxy.hang_up(times=2)

    for _ in range(2):
        with pytest.raises(requests.ConnectionError, match="closed connection without response"):
            get_through(proxy, secure.url, certificate)
    assert get_through(proxy, f"{secure.url}/rate_limit", certificate).status_code == 401

    assert proxy.connections == [secure.url.removeprefix("https://")] * 3
