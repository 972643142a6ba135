"""Create the virtual environment in which the composite action runs, from hash-pinned wheels.

The wheels are kept in the runner's tool cache, so that the next run on that machine can use them.
Neither the cache nor the package index has to be trusted: only packages with a hash in
requirements/runtime.txt are installed. Needs only Python and its pip.
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
WANTED = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS))
REMOVED = ("PYTHON", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
"""The beginnings of environment variables that pip must not see. They could make it import from
another directory, such as the workspace, or install there: it starts another Python, without -I."""

UNAVAILABLE = (
    "the packages of redeliver could not be downloaded. The lines above say why. The runner must "
    "be able to reach PyPI, or the package index in PIP_INDEX_URL. There are packages for Linux, "
    "macOS on Apple silicon and Windows on x64"
)


def main() -> None:
    """Create the environment, and write the path of its Python to the step's outputs.

    Packages are downloaded only if the kept wheels do not suffice. The runner sets the variables
    that say where temporary files, tools and outputs go.
    """
    wheels = Path(os.environ["RUNNER_TOOL_CACHE"]) / "redeliver" / "wheels"
    directory = Path(os.environ["RUNNER_TEMP"]) / "redeliver"
    # Installing pip into it would take three times as long.
    venv.create(directory, clear=True, symlinks=os.name != "nt")
    base = {"base": str(directory), "platbase": str(directory)}
    scripts, packages = (
        Path(sysconfig.get_path(name, "venv", base)) for name in ("scripts", "purelib")
    )
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python)]
    pip += ["--quiet", "--disable-pip-version-check"]
    install = [*pip, "install", "--no-index", "--find-links", str(wheels), "--no-compile", *WANTED]
    wheels.mkdir(parents=True, exist_ok=True)
    if _run(install, capture_output=True):
        print(f"Downloading the packages to {wheels}, where the next run can find them")
        if _run([*pip, "download", "--dest", str(wheels), *WANTED]) or _run(install):
            print(f"::error::{UNAVAILABLE}")
            sys.exit(1)
    # actions-toolkit installs its own tests as a top-level package.
    shutil.rmtree(packages / "tests")
    own = ROOT / "src" / "redeliver"
    shutil.copytree(own, packages / "redeliver", ignore=shutil.ignore_patterns("__pycache__"))
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"python={python}\n")


def _run(command: list[str], *, capture_output: bool = False) -> int:
    environment = {
        name: text for name, text in os.environ.items() if not name.upper().startswith(REMOVED)
    }
    done = subprocess.run(command, env=environment, capture_output=capture_output, check=False)
    return done.returncode


if __name__ == "__main__":
    main()
