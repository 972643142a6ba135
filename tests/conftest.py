"""What tests at every point and at random have tried is told at the end of the session.

What is marked as `unmeasured` is for what is large or many: coverage makes each line of the program
five times as slow, and has seen those lines elsewhere.
"""

import ssl
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import trustme
from coverage import Coverage
from xdist.workermanage import WorkerController

FIGURES: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unmeasured: leave what the test runs out of the coverage.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have coverage look away while a test runs that is marked so."""
    coverage = Coverage.current() if item.get_closest_marker("unmeasured") else None
    if coverage is None:
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


@pytest.fixture(scope="session")
def tell() -> Callable[[str], None]:
    """Give a function that takes one line for the end of the session."""
    return FIGURES.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the figures of a process that works for another over to that."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    FIGURES.extend(node.workeroutput.get("figures", []))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give a certificate authority that nobody trusts of old."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Give what a server at localhost needs to speak TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file by which to trust the authority."""
    pem = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(pem))
    return pem


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("what was tried")
        for line in sorted(FIGURES):
            terminalreporter.write_line(line)
