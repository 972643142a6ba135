"""Create the virtual environment of the composite action, from hash-pinned wheels.

The wheels are kept in the runner's tool cache, so that the next run on that machine has them. The
cache and the package index need not be trusted: pip installs only files whose hash is in
requirements/runtime.txt. This script needs only Python and its pip.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
PINNED = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS))
UNSAFE = ("PYTHON", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
"""The beginnings of variables that pip must not see. pip starts another Python without -I, which
these could make import from another place, such as the workspace, or install there."""

UNAVAILABLE = (
    "the packages of redeliver could not be downloaded: see pip's error above. The runner must "
    "reach PyPI, or a mirror that PIP_INDEX_URL names. There are packages only for Linux, macOS on "
    "Apple silicon and Windows on x64"
)


def main() -> None:
    """Create the environment, and write the path of its Python to the step's output `python`.

    Download wheels only if some are missing. The runner sets the directories for temporary files
    and for tools, and the file for outputs.
    """
    wheels = Path(os.environ["RUNNER_TOOL_CACHE"]) / "redeliver" / "wheels"
    directory = Path(os.environ["RUNNER_TEMP"]) / "redeliver"
    # Installing pip into the environment would take three times as long.
    venv.create(directory, clear=True, symlinks=os.name != "nt")
    base = {"base": str(directory), "platbase": str(directory)}
    scripts, packages = (
        Path(sysconfig.get_path(name, "venv", base)) for name in ("scripts", "purelib")
    )
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python)]
    pip += ["--quiet", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-index", "--find-links", str(wheels), "--no-compile", *PINNED]
    wheels.mkdir(parents=True, exist_ok=True)
    if _run(install, capture_output=True):
        print(f"Downloading the packages to {wheels}; the next run on this machine uses them again")
        if _run([*pip, "download", "--dest", str(wheels), *PINNED]) or _run(install):
            print(f"::error::{UNAVAILABLE}")
            sys.exit(1)
    # actions-toolkit installs its own tests as a top-level package, so remove them.
    shutil.rmtree(packages / "tests")
    own = ROOT / "src" / "redeliver"
    shutil.copytree(own, packages / "redeliver", ignore=shutil.ignore_patterns("__pycache__"))
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"python={python}\n")


def _run(command: list[str], *, capture_output: bool = False) -> int:
    environment = {
        name: text for name, text in os.environ.items() if not name.upper().startswith(UNSAFE)
    }
    done = subprocess.run(command, env=environment, capture_output=capture_output, check=False)
    return done.returncode


if __name__ == "__main__":
    main()
