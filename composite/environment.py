"""Make the virtual environment in which the composite action runs, out of hash-pinned wheels.

The wheels stay where the runner keeps its tools, so that the next run on that machine has them.
Nobody need trust these, nor where they came from: only what has a hash of requirements/runtime.txt
is installed. Needs no more than Python and its pip.
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
AT_WILL = ("PYTHON", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
"""How variables begin that would have pip import from elsewhere, such as the workspace, or install
there: it starts a Python of its own, without -I."""

UNAVAILABLE = (
    "the packages of redeliver could not be downloaded; the lines above say why. They come from "
    "PyPI, or from where PIP_INDEX_URL says, for Linux, macOS on Apple silicon and Windows on x64"
)


def main() -> None:
    """Make the environment, from kept wheels if these are all that it takes, and tell its Python.

    Read what a runner sets: where temporary files go, where tools are kept, where outputs go.
    """
    wheels = Path(os.environ["RUNNER_TOOL_CACHE"]) / "redeliver" / "wheels"
    directory = Path(os.environ["RUNNER_TEMP"]) / "redeliver"
    # With a pip of its own it would take three times as long.
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
        print(f"Downloading the packages to {wheels}, where the next run finds them")
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
        name: text for name, text in os.environ.items() if not name.upper().startswith(AT_WILL)
    }
    done = subprocess.run(command, env=environment, capture_output=capture_output, check=False)
    return done.returncode


if __name__ == "__main__":
    main()
