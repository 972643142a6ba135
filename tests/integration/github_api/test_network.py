"""Proxies and certificates that the runner's environment names."""

import ssl
from pathlib import Path

import pytest

from github_sandbox import Hook, Proxy, Sandbox
from tests.support.action_run import run_action


@pytest.fixture
def server_tls(tls: ssl.SSLContext) -> ssl.SSLContext:
    return tls


def test_an_authority_in_requests_ca_bundle_is_trusted(
    github: Sandbox, recorded_hook: Hook, certificate: Path
) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": str(certificate)})

    assert run.status == 0, run.visible
    assert len(github.requests) == 3


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="no variable"),
        pytest.param({"REQUESTS_CA_BUNDLE": ""}, id="an empty REQUESTS_CA_BUNDLE"),
        pytest.param({"CURL_CA_BUNDLE": ""}, id="an empty CURL_CA_BUNDLE"),
        pytest.param({"PYTHONHTTPSVERIFY": "0"}, id="PYTHONHTTPSVERIFY off"),
        pytest.param({"GIT_SSL_NO_VERIFY": "1"}, id="GIT_SSL_NO_VERIFY on"),
    ],
)
def test_an_untrusted_certificate_is_always_an_error(
    github: Sandbox, recorded_hook: Hook, environment: dict[str, str]
) -> None:
    run = run_action(github, recorded_hook, environment=environment)

    assert run.status == 1
    assert "(SSLError). Its certificate is not trusted here" in run.log
    assert "set the environment variable REQUESTS_CA_BUNDLE to the path" in run.log
    assert "Waiting" not in run.log, "a repeated request would not help"
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


def test_certificates_are_also_checked_behind_a_proxy(github: Sandbox, recorded_hook: Hook) -> None:
    with Proxy() as proxy:
        run = run_action(github, recorded_hook, environment={"HTTPS_PROXY": proxy.url})

    assert run.status == 1
    assert "Its certificate is not trusted here" in run.log
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
        pytest.param("/etc", id="a directory"),
        pytest.param(__file__, id="a file without certificates"),
    ],
)
def test_an_invalid_requests_ca_bundle_is_an_error(
    github: Sandbox, recorded_hook: Hook, bundle: str
) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": bundle})

    assert run.status == 1
    assert "REQUESTS_CA_BUNDLE" in run.log
    is_no_file = bundle not in {"/etc", __file__}
    assert ("A Docker action can only read files" in run.log) == is_no_file
    assert "Traceback" not in run.visible
    assert "AAAA" not in run.visible
    assert "Waiting" not in run.log


def test_the_password_of_a_proxy_is_not_shown(github: Sandbox, recorded_hook: Hook) -> None:
    proxy = "http://user:hunter2@127.0.0.1:9"

    run = run_action(github, recorded_hook, environment={"HTTPS_PROXY": proxy, "RUNNER_DEBUG": "1"})

    assert run.status == 1
    assert "(ProxyError)" in run.log
    assert "hunter2" not in run.visible
