"""Fixtures: the packages, an index that has them, and a runner."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.without_docker.runner import Runner, a_runner, an_index
from tests.e2e.workflow_run import ROOT


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Download the wheels of all packages once, with the settings of this machine."""
    directory = tmp_path_factory.mktemp("wheels")
    pinned = ("--no-deps", "--require-hashes", "-r", ROOT / "requirements" / "runtime.txt")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "download", "--dest", directory, *pinned], check=True)
    return directory


@pytest.fixture(scope="session")
def index(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a package index that has the wheels."""
    return an_index(tmp_path_factory.mktemp("index"), list(wheels.iterdir()))


@pytest.fixture
def runner(tmp_path: Path, action: Path, index: Path) -> Runner:
    return a_runner(tmp_path, action, index)
