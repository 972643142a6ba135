"""Proxies and certificates that the runner's environment names."""

import ssl
from pathlib import Path

import pytest

from github_sandbox import Hook, Proxy, Sandbox
from redeliver.errors import UnreachableError
from redeliver.github_api.permissions import Permission
from tests.support.action_run import run_action
from tests.support.sandboxes import a_client, a_throttle

PURPOSE = Permission(inputs="'org'").to("test the connection")


def get(url: str, lines: list[str] | None = None) -> None:
    """Send a request with a client whose waits take no time, and are logged to `lines`."""
    client = a_client(url, throttle=a_throttle(lines))
    client.request("GET", "/app", PURPOSE, expect={200})


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what the machine of the tests itself needs to reach the internet."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def server_tls(tls: ssl.SSLContext) -> ssl.SSLContext:
    return tls


def test_an_authority_in_requests_ca_bundle_is_trusted(
    github: Sandbox, recorded_hook: Hook, certificate: Path
) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": str(certificate)})

    assert run.status == 0, run.visible
    assert len(github.requests) == 4


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("REQUESTS_CA_BUNDLE", "", id="an empty REQUESTS_CA_BUNDLE"),
        pytest.param("CURL_CA_BUNDLE", "", id="an empty CURL_CA_BUNDLE"),
        pytest.param("PYTHONHTTPSVERIFY", "0", id="PYTHONHTTPSVERIFY off"),
        pytest.param("GIT_SSL_NO_VERIFY", "1", id="GIT_SSL_NO_VERIFY on"),
    ],
)
def test_no_variable_makes_an_untrusted_certificate_acceptable(
    github: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UnreachableError, match="from an authority that is not trusted here"):
        get(github.url)

    assert github.requests == []


def test_a_certificate_that_stays_untrusted_ends_in_advice(github: Sandbox) -> None:
    """It is tried again before, because it may be one of a broken connection."""
    lines: list[str] = []

    with pytest.raises(UnreachableError) as caught:
        get(github.url, lines)

    assert "is from an authority that is not trusted here. If your GitHub" in str(caught.value)
    assert "set the environment variable REQUESTS_CA_BUNDLE to the path" in str(caught.value)
    assert len(lines) == 4
    assert github.requests == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_all_requests_go_through_the_proxy(
    github: Sandbox, recorded_hook: Hook, certificate: Path, name: str
) -> None:
    with Proxy() as proxy:
        environment = {name: proxy.url, "REQUESTS_CA_BUNDLE": str(certificate)}
        run = run_action(github, recorded_hook, environment=environment)

    assert run.status == 0, run.visible
    assert set(proxy.connections) == {github.url.removeprefix("https://")}


def test_certificates_are_also_checked_behind_a_proxy(
    github: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(UnreachableError, match=r"the certificate of localhost:\d+ is from an"):
            get(github.url)

    assert github.requests == []


def test_hosts_in_no_proxy_are_reached_without_the_proxy(
    github: Sandbox, recorded_hook: Hook, certificate: Path
) -> None:
    with Proxy() as proxy:
        environment = {
            "HTTPS_PROXY": proxy.url,
            "NO_PROXY": "localhost",
            "REQUESTS_CA_BUNDLE": str(certificate),
        }
        run = run_action(github, recorded_hook, environment=environment)

    assert run.status == 0, run.visible
    assert proxy.connections == []


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param("/no/such/file.pem", id="a missing file"),
        pytest.param(f"-----BEGIN CERTIFICATE-----\n{'A' * 5000}", id="a certificate itself"),
        pytest.param(__file__, id="a file without certificates"),
    ],
)
def test_an_unreadable_requests_ca_bundle_is_an_error(
    github: Sandbox, recorded_hook: Hook, bundle: str
) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": bundle})

    assert run.status == 1
    assert "REQUESTS_CA_BUNDLE cannot be read, or holds no certificates" in run.log
    is_no_file = bundle != __file__
    assert ("A Docker action can only read files" in run.log) == is_no_file
    assert "Traceback" not in run.visible
    assert "AAAA" not in run.visible
    assert "Waiting" not in run.log


def test_an_unreadable_curl_ca_bundle_is_named(
    github: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURL_CA_BUNDLE", "/no/such/file.pem")
    lines: list[str] = []

    with pytest.raises(UnreachableError, match="the environment variable CURL_CA_BUNDLE cannot be"):
        get(github.url, lines)

    assert lines == [], "no other try can succeed, so there is none"


def test_the_password_of_a_proxy_is_not_shown(
    github: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:9")
    lines: list[str] = []

    with pytest.raises(UnreachableError, match="cannot connect to the proxy in the") as caught:
        get(github.url, lines)

    assert "hunter2" not in f"{caught.value} {lines}"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("socks5://127.0.0.1:1080", "names a SOCKS proxy, which redeliver does not support"),
        ("ftp://127.0.0.1:21", "is not the URL of a proxy"),
        ("http://", "is not the URL of a proxy"),
        ("http://127.0.0.1:99999", "is not the URL of a proxy"),
    ],
)
def test_an_unusable_proxy_is_an_error_that_names_its_variable(
    github: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, message: str
) -> None:
    """No other try can succeed, so there is none."""
    monkeypatch.setenv(variable, proxy)
    lines: list[str] = []

    with pytest.raises(UnreachableError, match=f"the environment variable {variable} {message}"):
        get(github.url, lines)

    assert lines == []
