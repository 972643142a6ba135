"""Fixtures: a copy of the action, its image and the command's, a machine's, and a checkout."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from github_sandbox.clock import Clock, utc_now
from tests.e2e.api_github_com import HOSTS
from tests.e2e.workflow_run import ROOT, TAG, TOKEN, Checkout, for_act


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this repository without the files that git ignores."""
    copy = tmp_path_factory.mktemp("sources")
    list_files = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(list_files, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in files.splitlines():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    return copy


@pytest.fixture(scope="session")
def action(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this repository that act can use as its newest version."""
    copy = tmp_path_factory.mktemp("action")
    shutil.copytree(sources, copy, dirs_exist_ok=True)
    for_act(copy, TAG)
    return copy


@pytest.fixture(scope="session")
def machine() -> str:
    """Build an image with systemd, cron and what the tests need of a hosted runner."""
    tag = "redeliver-e2e-machine"
    build = ["docker", "build", "--quiet", "--tag", tag, str(ROOT / "tests" / "e2e" / "machine")]
    subprocess.run(build, check=True, capture_output=True)
    return tag


@pytest.fixture(scope="session")
def image() -> str:
    """Build the action's image as a runner does."""
    tag = "redeliver:e2e"
    build = ["docker", "build", "--quiet", "--tag", tag, str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return tag


@pytest.fixture(scope="session")
def command_image() -> str:
    """Build the image of the command, as its Dockerfile says."""
    tag = "redeliver-command:e2e"
    dockerfile = ROOT / "examples" / "kubernetes" / "Dockerfile"
    build = ["docker", "build", "--quiet", "--file", str(dockerfile), "--tag", tag, str(ROOT)]
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
    """Return the clock of act, systemd and cron: the real time."""
    return utc_now


@pytest.fixture(scope="session")
def tls_of_github(authority: trustme.CA) -> ssl.SSLContext:
    """Return the TLS context of a server in place of api.github.com and hooks.slack.com."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context
