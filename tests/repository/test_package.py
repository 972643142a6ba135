"""The package for PyPI has a name of its own, and PyPI would accept it."""

import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
NAME = "redeliver_webhooks"
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build the packages as `make dist` does, and return the sdist and the wheel."""
    directory = tmp_path_factory.mktemp("dist")
    build = ("uv", "build", "--quiet", "--no-build-isolation", "--python", sys.executable)
    run(TOOLS / build[0], *build[1:], "--out-dir", directory, ROOT)
    return sorted(directory.glob(f"{NAME}-*"), key=lambda path: path.suffix)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True)


def test_pypi_would_accept_both_packages(packages: list[Path]) -> None:
    check = run(TOOLS / "twine", "--no-color", "check", "--strict", *packages)

    assert check.stdout.count("PASSED") == 2


def test_the_packages_have_only_the_program_and_its_license(packages: list[Path]) -> None:
    sdist, wheel = packages

    in_the_wheel = {name.split("/")[0].split("-")[0] for name in ZipFile(wheel).namelist()}
    with tarfile.open(sdist) as archive:
        in_the_sdist = {name.split("/")[1] for name in archive.getnames()}

    assert in_the_wheel == {"redeliver", NAME}
    assert in_the_sdist == {"LICENSE", "PKG-INFO", "pyproject.toml", "src"}
