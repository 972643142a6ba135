"""Make the virtual environment in which the composite action runs, out of hash-pinned wheels.

The wheels are kept for the next run. Nobody need trust what is kept, nor where it came from: only
what has a hash of requirements/runtime.txt is installed. Needs no more than Python and its pip.
"""

import hashlib
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
UNAVAILABLE = (
    "the packages of redeliver could not be downloaded; the lines above say why. They come from "
    "PyPI, or from where PIP_INDEX_URL says, for Linux, macOS on Apple silicon and Windows on x64"
)


def find() -> None:
    """Tell the next steps which Python this is, where wheels are kept, and under which key."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    system = f"{os.environ['RUNNER_OS']}-{os.environ['RUNNER_ARCH']}"
    _output("python", sys.executable)
    _output("wheels", str(Path(os.environ["RUNNER_TOOL_CACHE"]) / "redeliver" / "wheels"))
    _output("key", f"redeliver-{system}-{version}-{pinned[:16]}")


def make(wheels: Path) -> None:
    """Make the environment, from kept wheels if these are all that it takes."""
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
    if subprocess.run(install, capture_output=True, check=False).returncode:
        print(f"Downloading the packages to {wheels}, where the next run finds them")
        download = [*pip, "download", "--dest", str(wheels), *WANTED]
        if subprocess.run(download, check=False).returncode:
            print(f"::error::{UNAVAILABLE}")
            sys.exit(1)
        subprocess.run(install, check=True)
    # actions-toolkit installs its own tests as a top-level package.
    shutil.rmtree(packages / "tests")
    own = ROOT / "src" / "redeliver"
    shutil.copytree(own, packages / "redeliver", ignore=shutil.ignore_patterns("__pycache__"))
    _output("python", str(python))


def _output(name: str, text: str) -> None:
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{name}={text}\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["find"]:
            find()
        case ["make", wheels]:
            make(Path(wheels))
