"""What is pinned can be had, built and with its hash, wherever it is to run; PyPI says so."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stage import ROOT

UV = Path(sys.executable).with_name("uv")


def can_be_had(platform: str, version: str, target: Path) -> subprocess.CompletedProcess[str]:
    """Ask what would be installed there, and install nothing."""
    wanted = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    system = ("--python-platform", platform, "--python-version", version)
    return subprocess.run(
        [
            *(UV, "pip", "install", "--dry-run", "--target", target, *system, *wanted),
            *("-r", ROOT / "requirements" / "runtime.txt"),
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(
    "platform",
    [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ],
)
def test_all_packages_can_be_had(platform: str, version: str, tmp_path: Path) -> None:
    asked = can_be_had(platform, version, tmp_path)

    assert asked.returncode == 0, asked.stderr


def test_a_platform_without_all_packages_is_told_from_the_others(tmp_path: Path) -> None:
    # When they come, the README may say so.
    assert "no usable wheels" in can_be_had("x86_64-apple-darwin", "3.13", tmp_path).stderr
