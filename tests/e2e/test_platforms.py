"""PyPI has a wheel of every pinned package, with its hash, for every supported platform."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.workflow_run import ROOT

UV = Path(sys.executable).with_name("uv")


def dry_install(platform: str, version: str, target: Path) -> subprocess.CompletedProcess[str]:
    """Resolve the pinned packages for a platform, without installing them."""
    wheels_only = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    system = ("--python-platform", platform, "--python-version", version)
    return subprocess.run(
        [
            *(UV, "pip", "install", "--dry-run", "--target", target, *system, *wheels_only),
            *("-r", ROOT / "requirements" / "runtime.txt"),
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
@pytest.mark.parametrize(
    "platform",
    [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ],
)
def test_every_pinned_package_has_a_wheel(platform: str, version: str, tmp_path: Path) -> None:
    installation = dry_install(platform, version, tmp_path)

    assert installation.returncode == 0, installation.stderr


def test_macs_with_intel_lack_a_wheel(tmp_path: Path) -> None:
    """The README says so, so change it if this test fails."""
    assert "no usable wheels" in dry_install("x86_64-apple-darwin", "3.13", tmp_path).stderr
