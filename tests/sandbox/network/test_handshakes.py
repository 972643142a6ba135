"""A test can break TLS handshakes, one by one or all."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from github_sandbox import (
    BrokenHandshake,
    BrokenHandshakes,
    ClosedHandshake,
    ForeignCertificate,
    PlainHttp,
    ResetHandshake,
    Sandbox,
    TlsAlert,
)
from tests.sandbox.client import is_down


@pytest.fixture
def front(secure: Sandbox) -> Iterator[BrokenHandshakes]:
    with BrokenHandshakes(secure.url) as front:
        yield front


@pytest.fixture(scope="session")
def foreign() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def foreign_tls(foreign: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    foreign.issue_cert("localhost").configure_cert(context)
    return context


def get(front: BrokenHandshakes, certificate: Path) -> int:
    """Send a request in a connection of its own, and return the response's status."""
    return requests.get(f"{front.url}/rate_limit", verify=str(certificate), timeout=10).status_code


def error(front: BrokenHandshakes, certificate: Path) -> str:
    """Return why a request failed."""
    with pytest.raises(requests.ConnectionError) as caught:
        get(front, certificate)
    return str(caught.value)


def test_a_connection_is_forwarded_unless_it_is_broken(
    front: BrokenHandshakes, secure: Sandbox, certificate: Path
) -> None:
    assert [get(front, certificate) for _ in range(2)] == [401, 401]

    assert front.connections == len(secure.requests) == 2
    assert front.url.startswith("https://localhost:")
    assert front.url != secure.url


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param(ClosedHandshake(), "EOF occurred in violation of protocol", id="closed"),
        pytest.param(ResetHandshake(), "Connection reset by peer", id="reset"),
        pytest.param(TlsAlert(40), "SSLV3_ALERT_HANDSHAKE_FAILURE", id="handshake failure"),
        pytest.param(TlsAlert(80), "TLSV1_ALERT_INTERNAL_ERROR", id="internal error"),
        pytest.param(PlainHttp(), "WRONG_VERSION_NUMBER", id="plain HTTP"),
    ],
)
def test_the_handshakes_of_some_connections_are_broken(
    front: BrokenHandshakes,
    secure: Sandbox,
    certificate: Path,
    broken: BrokenHandshake,
    message: str,
) -> None:
    front.break_next(broken, times=2)

    assert message in error(front, certificate)
    assert message in error(front, certificate)
    assert get(front, certificate) == 401

    assert front.connections == 3
    assert len(secure.requests) == 1


def test_a_foreign_certificate_is_not_accepted(
    front: BrokenHandshakes, secure: Sandbox, certificate: Path, foreign_tls: ssl.SSLContext
) -> None:
    front.break_next(ForeignCertificate(foreign_tls))

    assert "certificate verify failed" in error(front, certificate)
    assert secure.requests == []
    assert get(front, certificate) == 401


def test_a_foreign_certificate_is_one_of_another_authority(
    front: BrokenHandshakes, foreign: trustme.CA, foreign_tls: ssl.SSLContext
) -> None:
    """A client that trusts this authority ends the handshake, and gets no response."""
    front.break_next(ForeignCertificate(foreign_tls))

    with foreign.cert_pem.tempfile() as certificate:
        assert "certificate" not in error(front, Path(certificate))


def test_all_handshakes_can_be_broken(
    front: BrokenHandshakes, secure: Sandbox, certificate: Path
) -> None:
    front.break_next(TlsAlert(40), times=None)

    for _ in range(4):
        assert "HANDSHAKE_FAILURE" in error(front, certificate)
    assert front.connections == 4
    assert secure.requests == []


def test_handshakes_break_in_the_order_of_the_calls(
    front: BrokenHandshakes, certificate: Path
) -> None:
    front.break_next(ResetHandshake())
    front.break_next(TlsAlert(80))

    assert "reset" in error(front, certificate)
    assert "INTERNAL_ERROR" in error(front, certificate)
    assert get(front, certificate) == 401


def test_a_plain_response_is_an_error_of_http(front: BrokenHandshakes) -> None:
    front.break_next(PlainHttp(400))

    response = requests.get(front.url.replace("https", "http"), timeout=10)

    assert (response.status_code, response.reason) == (400, "Bad Request")


def test_the_front_stops_with_its_block(secure: Sandbox) -> None:
    with BrokenHandshakes(secure.url) as front:
        url = front.url

    assert is_down(url)
