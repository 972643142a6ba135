"""The sandbox with TLS."""

import gc
import socket
import ssl
from pathlib import Path

import pytest
import requests

from github_sandbox import Sandbox, Truncated
from tests.sandbox.client import Client, deliveries


def test_a_sandbox_with_a_certificate_serves_https_at_localhost(
    secure: Sandbox, certificate: Path
) -> None:
    hook = secure.org("acme").hook("http://127.0.0.1:9/hook")
    ids = [hook.record() for _ in range(2)][::-1]
    client = Client(secure, verify=str(certificate))

    assert secure.url.startswith("https://localhost:")
    assert (
        client.get(deliveries(hook), params={"per_page": 1})
        .links["next"]["url"]
        .startswith(secure.url)
    )
    assert [row["id"] for page in client.pages(hook, per_page=1) for row in page] == ids


def test_a_client_without_the_authority_rejects_the_certificate(secure: Sandbox) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="unable to get local issuer"):
        Client(secure).get("/rate_limit")

    assert secure.requests == []


def test_a_sandbox_with_tls_stops_even_with_an_open_connection(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    """It does not wait for the client to close the connection, and leaves no socket behind."""
    client_tls = ssl.create_default_context(cafile=certificate)
    with Sandbox(tls=tls) as github:
        port = int(github.url.rpartition(":")[2])
        plain = socket.create_connection(("localhost", port))
        connection = client_tls.wrap_socket(plain, server_hostname="localhost")

    with connection:
        assert connection.recv(1) == b""
    gc.collect()  # a socket of the server that was not closed would be a warning


def test_a_fault_happens_over_tls_too(secure: Sandbox, certificate: Path) -> None:
    secure.inject(Truncated())
    client = Client(secure, verify=str(certificate))

    with pytest.raises(requests.RequestException):
        client.get("/rate_limit")

    assert client.get("/rate_limit").status_code == 200
