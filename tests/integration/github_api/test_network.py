"""Proxies and certificates, as the environment of the runner sets them."""

import ssl
from pathlib import Path

import pytest

from github_sandbox import Hook, Proxy, Sandbox
from tests.support.action_run import run_action


@pytest.fixture
def server_tls(tls: ssl.SSLContext) -> ssl.SSLContext:
    return tls


def test_an_authority_of_ones_own_is_trusted_when_the_environment_names_it(
    github: Sandbox, recorded_hook: Hook, certificate: Path
) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": str(certificate)})

    assert run.status == 0, run.visible
    assert len(github.requests) == 3


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="nothing is said about it"),
        pytest.param({"REQUESTS_CA_BUNDLE": ""}, id="the bundle is empty"),
        pytest.param({"CURL_CA_BUNDLE": ""}, id="the bundle is empty, by its other name"),
        pytest.param({"PYTHONHTTPSVERIFY": "0"}, id="Python is told not to look"),
        pytest.param({"GIT_SSL_NO_VERIFY": "1"}, id="git is told not to look"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_told_at_once_and_never_accepted(
    github: Sandbox, recorded_hook: Hook, environment: dict[str, str]
) -> None:
    run = run_action(github, recorded_hook, environment=environment)

    assert run.status == 1
    assert "(SSLError). Its certificate is not trusted here" in run.log
    assert "name that authority's file in the variable REQUESTS_CA_BUNDLE" in run.log
    assert "Waiting" not in run.log, "it would not get better"
    assert github.requests == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_everything_goes_through_the_proxy_that_the_environment_names(
    github: Sandbox, recorded_hook: Hook, certificate: Path, name: str
) -> None:
    with Proxy() as proxy:
        environment = {name: proxy.url, "REQUESTS_CA_BUNDLE": str(certificate)}
        run = run_action(github, recorded_hook, environment=environment)

    assert run.status == 0, run.visible
    assert set(proxy.connections) == {github.url.removeprefix("https://")}


def test_a_proxy_does_not_weaken_the_check_of_the_certificate(
    github: Sandbox, recorded_hook: Hook
) -> None:
    with Proxy() as proxy:
        run = run_action(github, recorded_hook, environment={"HTTPS_PROXY": proxy.url})

    assert run.status == 1
    assert "Its certificate is not trusted here" in run.log
    assert github.requests == []


def test_what_the_proxy_is_not_for_does_not_go_through_it(
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


@pytest.mark.parametrize("bundle", ["/no/such/file.pem", "/etc", __file__])
def test_a_bundle_that_is_none_is_told(github: Sandbox, recorded_hook: Hook, bundle: str) -> None:
    run = run_action(github, recorded_hook, environment={"REQUESTS_CA_BUNDLE": bundle})

    assert run.status == 1
    assert "REQUESTS_CA_BUNDLE" in run.log
    is_missing = bundle == "/no/such/file.pem"
    assert ("A Docker action sees the workspace" in run.log) == is_missing
    assert "Traceback" not in run.log
    assert "Waiting" not in run.log


def test_a_password_for_the_proxy_is_not_shown(github: Sandbox, recorded_hook: Hook) -> None:
    proxy = "http://user:hunter2@127.0.0.1:9"

    run = run_action(github, recorded_hook, environment={"HTTPS_PROXY": proxy, "RUNNER_DEBUG": "1"})

    assert run.status == 1
    assert "(ProxyError)" in run.log
    assert "hunter2" not in run.visible
