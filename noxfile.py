"""Run the tests on each Python, with the oldest and the newest PyGithub that pyproject.toml allows.

nox skips a Python that is not installed, and says so. It passes arguments to pytest:
`nox -- tests/integration`.
"""

import os
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

# The Pythons of pyenv are here. Its shims on the PATH run only the selected ones.
PYENV = Path.home() / ".pyenv" / "versions"
os.environ["PATH"] = os.pathsep.join([*map(str, PYENV.glob("3.*/bin")), os.environ["PATH"]])

DEPENDENCIES = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
[PYGITHUB] = [each for each in DEPENDENCIES if each.startswith("PyGithub")]

USUAL = ("--ignore=tests/e2e", "--ignore=tests/contract/test_octokit.py")
"""All tests except those that need Docker or packages from npm."""

SAY = "import sys; from importlib.metadata import version as v; "
SAY += "print('Python', sys.version.split()[0], 'and PyGithub', v('PyGithub'))"


@nox.session(python=["3.11", "3.12", "3.13"])
@nox.parametrize(
    "resolution", [nox.param("lowest-direct", id="oldest"), nox.param("highest", id="newest")]
)
def tests(session: nox.Session, resolution: str) -> None:
    """Run the tests with the pinned packages, except PyGithub."""
    session.install("--requirement=requirements/dev.txt")
    session.install("--no-deps", "--no-build-isolation", "--editable=.")
    session.install(f"--resolution={resolution}", "--upgrade-package=PyGithub", PYGITHUB)
    session.run("python", "-c", SAY)
    session.run("pytest", "--numprocesses=auto", "--dist=worksteal", *(session.posargs or USUAL))
