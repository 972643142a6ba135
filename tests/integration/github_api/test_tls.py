"""Certificates and TLS handshakes: which are accepted, and what is said of the others."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from github_sandbox import (
    BrokenHandshake,
    BrokenHandshakes,
    ClosedHandshake,
    ForeignCertificate,
    PlainHttp,
    Proxy,
    ResetHandshake,
    Sandbox,
    TlsAlert,
)
from redeliver.errors import UnreachableError
from redeliver.github_api.permissions import Permission
from tests.support.certificates import InHouseAuthority
from tests.support.sandboxes import a_client, a_delivery_log, a_throttle, rows_of, running

PURPOSE = Permission(inputs="'org'").to("test the connection")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what the machine of the tests itself needs to reach the internet."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def in_house() -> InHouseAuthority:
    return InHouseAuthority.create()


@pytest.fixture
def named(
    nothing_named: None,  # noqa: ARG001 - removes other variables first
    in_house: InHouseAuthority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name the authority in the environment."""
    file = in_house.write_to(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))


def get(url: str) -> int:
    return a_client(url).request("GET", "/rate_limit", PURPOSE, expect={200}).status


@pytest.mark.usefixtures("named")
def test_a_named_authority_may_break_rules_of_rfc_5280(in_house: InHouseAuthority) -> None:
    """Python 3.13 and newer would refuse it; curl does not."""
    with running(Sandbox(tls=in_house.server_context())) as github:
        assert get(github.url) == 200


def test_authorities_may_be_named_by_their_directory(
    in_house: InHouseAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a file for each, with the name that OpenSSL gives it."""
    in_house.write_to(tmp_path / f"{in_house.subject_hash}.0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))

    with running(Sandbox(tls=in_house.server_context())) as github:
        assert get(github.url) == 200

    assert "not trusted here. Only the authorities" in refusal_of(InHouseAuthority.create())


def refusal_of(authority: InHouseAuthority) -> str:
    """Return the error of a request to a server with a certificate of this authority."""
    with (
        running(Sandbox(tls=authority.server_context())) as github,
        pytest.raises(UnreachableError) as caught,
    ):
        get(github.url)
    return str(caught.value)


def test_an_authority_that_is_not_named_is_refused(in_house: InHouseAuthority) -> None:
    message = refusal_of(in_house)

    assert "is from an authority that is not trusted here. If your GitHub or proxy has" in message
    assert "set the environment variable REQUESTS_CA_BUNDLE to the path" in message


@pytest.mark.usefixtures("named")
def test_only_the_authorities_in_the_named_file_are_trusted() -> None:
    """So the advice is not to do what the user has done."""
    message = refusal_of(InHouseAuthority.create())

    assert "is from an authority that is not trusted here. Only the authorities in the" in message
    assert "variable REQUESTS_CA_BUNDLE are trusted: add the certificate" in message


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("start", "end", "host", "message"),
    [
        pytest.param(-2 * DAY, -DAY, "localhost", "has expired. Replace it", id="expired"),
        pytest.param(DAY, 2 * DAY, "localhost", "is not valid yet. Replace it", id="not yet valid"),
        pytest.param(-DAY, DAY, "ghes.example.com", "is for another name", id="another name"),
    ],
)
def test_a_certificate_of_a_named_authority_is_checked(
    in_house: InHouseAuthority, start: timedelta, end: timedelta, host: str, message: str
) -> None:
    tls = in_house.server_context(host, from_now=start, until_now=end)
    with (
        running(Sandbox(tls=tls)) as github,
        pytest.raises(UnreachableError, match=rf"the certificate of localhost:\d+ {message}"),
    ):
        get(github.url)


def test_a_server_without_tls_gets_an_error_that_says_so() -> None:
    with (
        running(Sandbox()) as github,
        pytest.raises(UnreachableError, match=r"127\.0\.0\.1:\d+ does not respond with TLS"),
    ):
        get(github.url.replace("http:", "https:"))


FAULTS = [
    pytest.param(ClosedHandshake(), r"failed \(UNEXPECTED_EOF", id="closed"),
    pytest.param(ResetHandshake(), r"cannot connect to localhost:\d+ \(Conn", id="reset"),
    pytest.param(TlsAlert(40), r"the TLS handshake with .* failed \(SSLV3_ALERT_HAND", id="alert"),
    pytest.param(TlsAlert(80), r"failed \(TLSV1_ALERT_INTERNAL_ERROR\)", id="an internal error"),
    pytest.param(PlainHttp(), r"localhost:\d+ does not respond with TLS", id="no TLS"),
    pytest.param(
        ForeignCertificate(InHouseAuthority.create().server_context()),
        "from an authority that is not trusted here",
        id="a foreign certificate",
    ),
]


@pytest.fixture
def front(in_house: InHouseAuthority, named: None) -> Iterator[tuple[Sandbox, BrokenHandshakes]]:  # noqa: ARG001 - trusts the authority
    """Start a sandbox and a server in front of it that can break handshakes."""
    with (
        running(Sandbox(tls=in_house.server_context())) as github,
        BrokenHandshakes(github.url) as handshakes,
    ):
        yield github, handshakes


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_broken_handshake_is_repeated(
    front: tuple[Sandbox, BrokenHandshakes], fault: BrokenHandshake, reason: str
) -> None:
    github, handshakes = front
    handshakes.break_next(fault, times=4)
    lines: list[str] = []
    client = a_client(handshakes.url, throttle=a_throttle(lines))

    client.request("GET", "/rate_limit", PURPOSE, expect={200})

    assert len(lines) == 4
    assert re.search(reason, lines[0]), lines
    assert len(github.requests) == 1


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_handshake_that_stays_broken_is_an_error(
    front: tuple[Sandbox, BrokenHandshakes], fault: BrokenHandshake, reason: str
) -> None:
    _, handshakes = front
    handshakes.break_next(fault, times=None)

    with pytest.raises(UnreachableError, match=reason):
        get(handshakes.url)

    assert handshakes.connections == 5


@pytest.mark.parametrize(("fault", "_reason"), FAULTS)
def test_a_redelivery_is_repeated_after_a_broken_handshake(
    front: tuple[Sandbox, BrokenHandshakes], fault: BrokenHandshake, _reason: str
) -> None:
    """GitHub cannot have received the first request."""
    github, handshakes = front
    hook = github.org("acme").hook("http://127.0.0.1:9/hook")
    hook.record(status="timed out", status_code=504)
    log = a_delivery_log(github, hook, a_client(handshakes.url))
    [delivery] = rows_of(log)
    fresh = a_delivery_log(github, hook, a_client(handshakes.url))
    handshakes.break_next(fault)

    fresh.redeliver(delivery)

    posts = [request for request in github.requests if request.method == "POST"]
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        pytest.param(407, "It wants a user name and a password", id="it wants a password"),
        pytest.param(403, "ask whoever runs it to allow connections", id="it forbids it"),
    ],
)
def test_a_proxy_refusal_names_its_status(
    front: tuple[Sandbox, BrokenHandshakes],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    advice: str,
) -> None:
    github, _ = front
    with Proxy(refuses_with=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(UnreachableError) as caught:
            get(github.url)

    assert f"the proxy in the environment variable HTTPS_PROXY responded {status}" in str(
        caught.value
    )
    assert advice in str(caught.value)
    assert len(proxy.connections) == 5


def test_a_redelivery_is_repeated_after_a_proxy_hung_up(
    front: tuple[Sandbox, BrokenHandshakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    github, _ = front
    hook = github.org("acme").hook("http://127.0.0.1:9/hook")
    hook.record(status="timed out", status_code=504)
    [delivery] = rows_of(a_delivery_log(github, hook))
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        proxy.hang_up()
        a_delivery_log(github, hook).redeliver(delivery)

    assert len(proxy.connections) == 2
    posts = [request for request in github.requests if request.method == "POST"]
    assert len(posts) == 1


def test_a_certificate_with_another_fault_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_authority = InHouseAuthority.create(ca=False)
    bundle = no_authority.write_to(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with (
        running(Sandbox(tls=no_authority.server_context())) as github,
        pytest.raises(
            UnreachableError, match=r"is refused \([a-zA-Z ]+\)\. Whoever runs the server"
        ),
    ):
        get(github.url)


def test_a_named_authority_is_trusted_for_a_proxy_with_tls(
    front: tuple[Sandbox, BrokenHandshakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox is no proxy, so it refuses to connect, but only after the handshake."""
    github, _ = front
    monkeypatch.setenv("HTTPS_PROXY", github.url)

    with pytest.raises(UnreachableError, match="environment variable HTTPS_PROXY responded 4"):
        get("https://github.example.com")


def test_a_server_that_is_down_is_not_blamed_on_a_proxy() -> None:
    message = (
        r"127\.0\.0\.1:9 \(ConnectionRefusedError\)\. No events are lost; the next run retries"
    )
    with pytest.raises(UnreachableError, match=f"cannot connect to {message}"):
        get("https://127.0.0.1:9")


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("", "the host name of nowhere.invalid cannot be resolved. Check 'hostname'"),
        (
            "http://nowhere.invalid:3128",
            "variable HTTPS_PROXY cannot be resolved. Check the variable HTTPS_PROXY",
        ),
        (
            "http://127.0.0.1:9",
            "(ConnectionRefusedError). Check the variable HTTPS_PROXY, and that the proxy runs",
        ),
    ],
)
def test_an_error_says_whether_the_host_or_the_proxy_is_wrong(
    monkeypatch: pytest.MonkeyPatch, proxy: str, message: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(UnreachableError, match=re.escape(message)):
        get("https://nowhere.invalid")
