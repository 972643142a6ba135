"""Fixtures of all tests, and the marker `unmeasured`.

The marker is for tests that execute the same lines very often: coverage makes these tests five
times as slow, and others cover the lines.
"""

import ssl
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import trustme
from coverage import Coverage
from hypothesis import settings

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.support.builders import START, TOKEN
from tests.support.days import Days
from tests.support.sandboxes import running

# A busy machine must not fail a test.
settings.register_profile("default", settings.get_profile("default"), deadline=None)
# `make soak` selects it. Tests with a number of examples of their own multiply the profile's.
settings.register_profile("soak", max_examples=40 * settings().max_examples)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unmeasured: do not measure the test's coverage.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop coverage during a test that is marked as unmeasured."""
    coverage = Coverage.current() if item.get_closest_marker("unmeasured") else None
    if coverage is None:
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that no system trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return the TLS context of a server at localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file with the authority's certificate, for clients that trust it."""
    pem = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(pem))
    return pem


@pytest.fixture
def clock() -> VirtualClock:
    """Return the clock of `github` and of redeliver. It stands still until a test advances it."""
    return VirtualClock(START)


@pytest.fixture
def granted_token() -> str:
    """Return the token to which `github` grants all permissions that the action needs."""
    return TOKEN


@pytest.fixture
def points_per_minute() -> int | None:
    """Return the secondary rate limit of `github`."""
    return None


@pytest.fixture
def server_tls() -> ssl.SSLContext | None:
    """Return the TLS context of `github`, or None for HTTP."""
    return None


@pytest.fixture
def github(
    clock: VirtualClock,
    granted_token: str,
    points_per_minute: int | None,
    server_tls: ssl.SSLContext | None,
) -> Iterator[Sandbox]:
    """Start a sandbox. A folder or module that needs another overrides the fixtures it takes."""
    sandbox = Sandbox(clock=clock, points_per_minute=points_per_minute, tls=server_tls)
    with running(sandbox, token=granted_token) as github:
        yield github


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hook(github: Sandbox, receiver: Receiver) -> Hook:
    return github.org("acme").hook(receiver.url, secret="hush")


@pytest.fixture
def recorded_hook(github: Sandbox) -> Hook:
    """Return a hook without a receiver. Only `record` adds deliveries to its log."""
    return github.org("acme").hook("http://127.0.0.1:9/hook")


@pytest.fixture
def days(github: Sandbox, clock: VirtualClock, receiver: Receiver) -> Days:
    return Days(github, clock, receiver)
