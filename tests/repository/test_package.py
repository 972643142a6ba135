"""The package for PyPI has a name of its own, and PyPI would accept it."""

import os
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
NAME = "redeliver_webhooks"
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build the packages with `make dist`, and return the sdist and the wheel."""
    directory = tmp_path_factory.mktemp("dist")
    # Without READY, make does not look for .venv: these tests may run elsewhere.
    run("make", "dist", "READY=", f"BIN={TOOLS}", f"DIST={directory}")
    return sorted(directory.glob(f"{NAME}-*"), key=lambda path: path.suffix)


def run(*command: str) -> str:
    """Run a command at the root, without the options of a `make` that runs these tests."""
    environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_pypi_would_accept_both_packages(packages: list[Path]) -> None:
    check = run(f"{TOOLS}/twine", "--no-color", "check", "--strict", *map(str, packages))

    assert check.count("PASSED") == 2


def test_another_build_of_a_commit_makes_the_same_wheel(packages: list[Path]) -> None:
    """The time is the only part of a file in a wheel that could differ. Wheels count in 2 s."""
    _, wheel = packages
    committed = int(run("git", "log", "-1", "--format=%ct")) // 2 * 2

    times = {datetime(*file.date_time, tzinfo=UTC) for file in ZipFile(wheel).infolist()}

    assert times == {datetime.fromtimestamp(committed, UTC)}


def test_the_packages_have_only_the_program_and_its_license(packages: list[Path]) -> None:
    sdist, wheel = packages

    in_the_wheel = {name.split("/")[0].split("-")[0] for name in ZipFile(wheel).namelist()}
    with tarfile.open(sdist) as archive:
        in_the_sdist = {name.split("/")[1] for name in archive.getnames()}

    assert in_the_wheel == {"redeliver", NAME}
    assert in_the_sdist == {"LICENSE", "PKG-INFO", "pyproject.toml", "src"}
