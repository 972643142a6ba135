"""Measure what a job does before the program starts: build the image, or install octokit."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.programs import node_modules
from bench.times import Times

ROOT = Path(__file__).parent.parent
TAG = "redeliver-bench"
REPETITIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The times of a preparation, and the bytes that it adds to the disk."""

    times: Times
    size: int


def has_docker() -> bool:
    """Return whether a Docker engine is running."""
    try:
        info = subprocess.run(["docker", "info"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return info.returncode == 0


def build_image(most_runs: int | None) -> Preparation:
    """Build the action's image as a runner does, without a cache. The base image is there."""
    times = Times([build_directory(ROOT, TAG) for _ in range(most_runs or REPETITIONS)])
    return Preparation(times=times, size=size_over_base(TAG))


def build_directory(directory: Path, tag: str) -> float:
    """Build the image of a checkout, and return how many seconds that took."""
    return _seconds(["docker", "build", "--no-cache", "--quiet", "--tag", tag, str(directory)])


def size_over_base(tag: str) -> int:
    """Return the bytes that an image has more than its base."""
    return _image_size(tag) - _image_size(base_image())


def base_image() -> str:
    """Return the name of the image that the action's image is built on."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return next(line.split()[1] for line in lines if line.startswith("FROM"))


def install_octokit(most_runs: int | None) -> Preparation:
    """Install octokit with pinned packages, as a careful workflow does, with an empty cache."""
    seconds, size = [], 0
    for _ in range(most_runs or REPETITIONS):
        with tempfile.TemporaryDirectory(prefix="npm-") as directory:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(node_modules().parent / name, directory)
            install = ["npm", "ci", "--omit=dev", f"--cache={directory}/cache"]
            seconds.append(_seconds(install, directory))
            installed = Path(directory, "node_modules").rglob("*")
            size = sum(path.stat().st_size for path in installed if path.is_file())
    return Preparation(times=Times(seconds), size=size)


def octokit_version() -> str:
    """Return the version of octokit that the script uses."""
    package = json.loads((node_modules() / "octokit" / "package.json").read_text(encoding="utf-8"))
    return str(package["version"])


def _seconds(command: Sequence[str], directory: str | None = None) -> float:
    began = time.monotonic()
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if run.returncode:
        raise ChildProcessError(f"{' '.join(command)}:\n{run.stderr}")
    return seconds


def _image_size(name: str) -> int:
    inspect = ["docker", "image", "inspect", "--format={{.Size}}", name]
    return int(subprocess.run(inspect, capture_output=True, check=True).stdout)
