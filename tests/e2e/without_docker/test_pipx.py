"""The lines in the docs install the command, and check the hash of each package."""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.workflow_run import ROOT

PAGE = (ROOT / "docs" / "own-server.md").read_text()
[LINE] = re.findall(r"```sh\n(pipx install .*?#sha256=<hash>')\n```", PAGE, flags=re.DOTALL)
[LINES_FOR_A_SERVER] = re.findall(r"```sh\n(python3 -m venv [^`]*#sha256=<hash>')\n```", PAGE)
[LINES_FOR_A_COMMIT] = re.findall(r"```sh\n([^`]* git\+[^`]*)```", PAGE)
REQUIREMENTS = (ROOT / "requirements" / "command.txt").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    uv = str(Path(sys.executable).with_name("uv"))
    build = [uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", str(directory), str(ROOT)], check=True)
    [wheel] = directory.glob("*.whl")
    return wheel


def install(
    directory: Path, wheel: Path, *, digest: str = "", requirements: str = REQUIREMENTS
) -> subprocess.CompletedProcess[str]:
    """Run the line of the page, with files of this machine in place of those on the internet."""
    constraints = directory / "command.txt"
    constraints.write_text(requirements)
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    line = re.sub(r"https://raw\S+/command.txt", str(constraints), LINE)
    line = re.sub(r"https://files\S+<hash>", f"{wheel.as_uri()}#sha256={digest}", line)
    assert "https" not in line
    return subprocess.run(
        ["sh", "-c", line.replace("pipx", shlex.join([sys.executable, "-m", "pipx"]), 1)],
        env={
            **os.environ,
            "PIPX_HOME": str(directory / "pipx"),
            "PIPX_SHARED_LIBS": str(directory.parent / "pip"),  # so that all tests share one pip
            "PIPX_BIN_DIR": str(directory / "bin"),
            "PIPX_DEFAULT_BACKEND": "pip",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_line_installs_the_command(tmp_path: Path, wheel: Path) -> None:
    assert install(tmp_path, wheel).returncode == 0

    command = [str(tmp_path / "bin" / "redeliver"), "--version"]
    assert subprocess.run(command, check=True, capture_output=True).stdout.startswith(b"redeliver ")


def test_the_line_refuses_another_wheel(tmp_path: Path, wheel: Path) -> None:
    refused = install(tmp_path, wheel, digest="0" * 64)

    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "bin" / "redeliver").exists()


def test_the_line_refuses_another_dependency(tmp_path: Path, wheel: Path) -> None:
    """Each hash of PyGithub is another one in these requirements."""
    name, version, rest = REQUIREMENTS.partition("pygithub==")
    hashes, end, others = rest.partition("pyjwt==")
    changed = re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", hashes)

    refused = install(tmp_path, wheel, requirements=name + version + changed + end + others)

    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "bin" / "redeliver").exists()


def install_on_a_server(
    directory: Path, wheel: Path, digest: str
) -> subprocess.CompletedProcess[str]:
    """Run the lines of the page with the pip that the Python on the path brings along."""
    requirements = ROOT / "requirements" / "command.txt"
    lines = re.sub(r"https://raw\S+/command.txt", str(requirements), LINES_FOR_A_SERVER)
    lines = re.sub(r"https://files\S+<hash>", f"{wheel.as_uri()}#sha256={digest}", lines)
    assert "https" not in lines
    return subprocess.run(
        ["sh", "-e", "-c", lines.replace("/opt/redeliver", str(directory))],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_lines_for_a_server_install_the_command(tmp_path: Path, wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()

    installed = install_on_a_server(tmp_path, wheel, digest)

    assert installed.returncode == 0, installed.stderr
    command = [str(tmp_path / "bin" / "redeliver"), "--version"]
    assert subprocess.run(command, check=True, capture_output=True).stdout.startswith(b"redeliver ")


def test_the_lines_for_a_server_refuse_another_wheel(tmp_path: Path, wheel: Path) -> None:
    refused = install_on_a_server(tmp_path, wheel, "0" * 64)

    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "bin" / "redeliver").exists()


def test_the_lines_for_a_commit_install_the_command(tmp_path: Path) -> None:
    requirements = ROOT / "requirements" / "command.txt"
    lines = re.sub(r"https://raw\S+/command.txt", str(requirements), LINES_FOR_A_COMMIT)
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = re.sub(r"@v[\d.]+", f"@{commit.strip()}", lines)
    installed = tmp_path / "redeliver"
    # git takes this repository for the one on GitHub.
    here = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/acme/redeliver",
    }

    subprocess.run(
        ["sh", "-e", "-c", lines.replace("/opt/redeliver", str(installed))],
        env={**os.environ, **here},
        check=True,
        capture_output=True,
    )

    command = [str(installed / "bin" / "redeliver"), "--version"]
    assert subprocess.run(command, check=True, capture_output=True).stdout.startswith(b"redeliver ")
