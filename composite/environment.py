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
# Python's option -I keeps the workspace off sys.path, but this directory, too. In a container, this
# may run as root, and the runner could not remove a __pycache__ of root.
sys.path.insert(0, str(ROOT / "composite"))
sys.dont_write_bytecode = True

import isolated_pip  # noqa: E402 - found only with the path above
import wheel_cache  # noqa: E402 - found only with the path above

REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
PINNED = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS))

WHAT_TO_DO = {
    "No space left on device": "Free some space on the disk of RUNNER_TEMP",
    "DO NOT MATCH THE HASHES": "The package index sent other files than PyPI has. Check the mirror "
    "or proxy that this runner uses",
    "Could not fetch URL": "This runner must reach PyPI, or a mirror. PIP_INDEX_URL or pip's "
    "configuration names the mirror, with a user name and password if it needs them",
    "No matching distribution": "There are packages only for Linux, macOS on Apple silicon and "
    "Windows on x64. If this is one of these, the mirror that this runner uses lacks them",
    "no such option": "pip is older than 22.3: update it, or add a step with actions/setup-python "
    "before this one",
}
"""What to do about an error of pip that contains the key. The first one counts."""


class SetupError(Exception):
    """The action cannot start on this runner. The text says why, and what to do."""


def main() -> None:
    """Create the environment, and write the path of its Python to the step's output `python`."""
    try:
        directory = Path(_variable("RUNNER_TEMP")).absolute() / "redeliver"
        output = Path(_variable("GITHUB_OUTPUT"))
        python = _create_environment(directory)
        _write(output, f"python={python}\n")
    except SetupError as error:
        # A line end within a workflow command is %0A.
        text = isolated_pip.harmless(str(error)).replace("%", "%25").replace("\n", "%0A")
        print(f"::error::{text}")
        sys.exit(1)


def _variable(name: str) -> str:
    # RUNNER_TEMP has no default: after the job, nobody would remove another directory.
    if text := os.environ.get(name):
        return text
    raise SetupError(
        f"{name} is not set. Every runner sets this variable: check whether this job changes it"
    )


def _create_environment(directory: Path) -> Path:
    """Create the environment with redeliver and its packages, and return its Python."""
    try:
        # Installing pip into the environment would take three times as long.
        venv.create(directory, clear=True, symlinks=os.name != "nt")
        os.environ["TMPDIR"] = str(directory)  # for pip: a runner may have no other directory
        base = {"base": str(directory), "platbase": str(directory)}
        scripts, packages = (
            Path(sysconfig.get_path(name, "venv", base)) for name in ("scripts", "purelib")
        )
        python = scripts / ("python.exe" if os.name == "nt" else "python")
        _install_packages(python, directory)
        own = ROOT / "src" / "redeliver"
        shutil.copytree(own, packages / "redeliver", ignore=shutil.ignore_patterns("__pycache__"))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise SetupError(
            f"the virtual environment {directory} could not be created: {error}. RUNNER_TEMP must "
            "be a directory with 50 MB of free space, in which this user can write"
        ) from error
    return python


def _install_packages(python: Path, directory: Path) -> None:
    """Install the wheels in the tool cache, or else download them."""
    kept, downloaded = directory / "kept", directory / "wheels"
    cache = wheel_cache.directory(REQUIREMENTS)
    if cache:
        wheel_cache.remove_unused(cache)
        if wheel_cache.copy_wheels(cache, kept) and _install(python, kept).returncode == 0:
            return
    print("Downloading the packages of redeliver")
    options = isolated_pip.download_options()
    done = _download(python, downloaded, options)
    if done.returncode == 0:
        done = _install(python, downloaded)
    if done.returncode != 0:
        said = isolated_pip.what_pip_said(done, options)
        advice = (advice for words, advice in WHAT_TO_DO.items() if words in said)
        advice_or_default = next(advice, "Check the settings of pip on this runner")
        raise SetupError(
            f"the packages of redeliver could not be installed. pip said:\n{said}\n"
            f"{advice_or_default}"
        )
    print(isolated_pip.harmless(wheel_cache.keep(downloaded, cache)))


def _install(python: Path, wheels: Path) -> subprocess.CompletedProcess[str]:
    sources = ("--no-index", "--find-links", str(wheels))
    return isolated_pip.run(python, "--quiet", "install", *sources, "--no-compile", *PINNED)


def _download(
    python: Path, wheels: Path, options: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    download = ("download", "--dest", str(wheels), *PINNED)
    done = isolated_pip.run(python, "--quiet", *download, options=options)
    if done.returncode == 0:
        return done
    # Only pip's debugging output says why the index did not respond. Directories from `find-links`
    # have been tried now, so try the index even if `no-index` is set.
    options = {name: text for name, text in options.items() if name != "PIP_NO_INDEX"}
    verbose = ("-vv", "--no-input", "--retries=0")
    return isolated_pip.run(python, *verbose, *download, options=options)


def _write(output: Path, line: str) -> None:
    try:
        with output.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise SetupError(
            f"GITHUB_OUTPUT could not be written: {error}. The next step reads there which Python "
            "to use: make sure that this user can write to the file"
        ) from error


if __name__ == "__main__":
    main()
