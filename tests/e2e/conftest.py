"""Fixtures: the action as GitHub has it, its image, a runner's machine, GitHub and a receiver."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from github_sandbox.clock import Clock, utc_now
from tests.e2e.workflow_run import ROOT, TOKEN, Checkout


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of this repository without the files that git ignores."""
    copy = tmp_path_factory.mktemp("action")
    list_files = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(list_files, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in files.splitlines():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    return copy


@pytest.fixture(scope="session")
def machine() -> str:
    """Give the image of a machine with what the tests need of a hosted runner, systemd and cron."""
    tag = "redeliver-e2e-machine"
    build = ["docker", "build", "--quiet", "--tag", tag, str(ROOT / "tests" / "e2e" / "machine")]
    subprocess.run(build, check=True, capture_output=True)
    return tag


@pytest.fixture(scope="session")
def image() -> str:
    """Give the action's image, built as a runner builds it."""
    tag = "redeliver:e2e"
    build = ["docker", "build", "--quiet", "--tag", tag, str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return tag


@pytest.fixture
def checkout(action: Path, tmp_path: Path) -> Checkout:
    return Checkout(workspace=tmp_path, action=action)


@pytest.fixture
def granted_token() -> str:
    return TOKEN


@pytest.fixture
def clock() -> Clock:
    """Return the real time, which act, systemd and cron go by."""
    return utc_now


@pytest.fixture(scope="session")
def tls_of_github(authority: trustme.CA) -> ssl.SSLContext:
    """Give the TLS context of a server that passes for api.github.com."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("api.github.com").configure_cert(context)
    return context
