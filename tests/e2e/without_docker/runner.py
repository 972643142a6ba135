"""Runners for the action without Docker, with package indexes and small disks."""

import base64
import functools
import hashlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.e2e.workflow_run import ROOT

STEP = yaml.safe_load((ROOT / "composite" / "action.yml").read_text())["runs"]["steps"][0]
PASSWORD = "s3cretOfTheIndex"
NOWHERE = "http://127.0.0.1:9"
"""An address at which no server listens."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner with its directories and variables. It has no other variables than these."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def tool_cache(self) -> Path:
        return self.directory / "tools"

    @property
    def wheels(self) -> Path:
        """The directory in the tool cache for the packages of this version."""
        return self.tool_cache / "redeliver" / "wheels" / wheels_name(ROOT)

    def start(
        self, *wrapper: str, python: str = sys.executable, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the step that creates the environment. A variable that is empty is not set."""
        variables = {**self.variables, **variables}
        return subprocess.run(
            [*wrapper, "bash", "-c", STEP["run"]],
            cwd=self.directory / "workspace",
            env={
                "PATH": os.pathsep.join([str(Path(python).parent), os.environ["PATH"]]),
                **{name: text for name, text in variables.items() if text},
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def assert_starts_redeliver(self, step: subprocess.CompletedProcess[str]) -> None:
        """Check that the next step finds a Python that has redeliver and all of its packages."""
        assert step.returncode == 0, step.stdout + step.stderr
        python = (self.directory / "output").read_text("utf-8").strip().removeprefix("python=")
        run = subprocess.run(
            [python, "-I", "-u", "-X", "utf8", "-m", "redeliver"],
            env={},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert run.stdout.startswith("::error::input 'token' must be set"), run.stderr


def a_runner(directory: Path, action: Path, index: Path) -> Runner:
    """Create a runner whose variables name a package index in a directory."""
    for name in ("home", "workspace", "temp"):
        (directory / name).mkdir(parents=True)
    (directory / "output").touch()
    return Runner(
        directory=directory,
        variables={
            "HOME": str(directory / "home"),
            "GITHUB_ACTION_PATH": str(action / "composite"),
            "GITHUB_OUTPUT": str(directory / "output"),
            "RUNNER_TEMP": str(directory / "temp"),
            "RUNNER_TOOL_CACHE": str(directory / "tools"),
            "PIP_INDEX_URL": index.as_uri(),
        },
    )


def wheels_name(action: Path) -> str:
    """Return the name of the directory in the tool cache for the packages of this action."""
    requirements = action / "requirements" / "runtime.txt"
    return hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]


def the_error(step: subprocess.CompletedProcess[str]) -> str:
    """Return the text of a step's only error, after a check that there is no traceback."""
    assert step.returncode == 1, step.stdout + step.stderr
    assert "Traceback" not in step.stdout + step.stderr
    [error] = re.findall("^::error::(.*)", step.stdout, re.MULTILINE)
    return str(error.replace("%0A", "\n").replace("%25", "%"))


def an_index(directory: Path, wheels: Sequence[Path]) -> Path:
    """Create a package index: https://packaging.python.org/en/latest/specifications/simple-repository-api/."""
    for wheel in wheels:
        name, *_ = wheel.name.split("-")
        project = directory / name.lower().replace("_", "-")
        project.mkdir()
        shutil.copy(wheel, project)
        (project / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return directory


class IndexServer(SimpleHTTPRequestHandler):
    """A package index that needs a password, and looks for it in the command lines of processes."""

    exposed: list[Path] = []  # noqa: RUF012 - shared by all requests

    def do_GET(self) -> None:
        commands = [*Path("/proc").glob("[0-9]*/cmdline")]
        self.exposed += [file for file in commands if PASSWORD.encode() in contents(file)]
        login = base64.b64encode(f"bob:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] == f"Basic {login}":
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


def contents(file: Path) -> bytes:
    """Return what a file of a process contains, or nothing if the process has ended."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


@contextmanager
def serving(index: Path, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a package index on a port of this machine."""
    handler = functools.partial(IndexServer, directory=str(index))
    with _serving(handler, tls) as port:
        yield port


@contextmanager
def serving_slowly(index: Path, wait: Callable[[], object]) -> Iterator[dict[str, str]]:
    """Serve a package index that calls `wait` before it sends the wheel that pip needs last.

    Return the variables with which a runner uses it.
    """

    class SlowIndexServer(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if re.fullmatch(r"/urllib3/.*\.whl", self.path):
                wait()
            super().do_GET()

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    with _serving(functools.partial(SlowIndexServer, directory=str(index))) as port:
        # By default, pip sends a request again if there is no response after 15 seconds.
        yield {"PIP_INDEX_URL": f"http://127.0.0.1:{port}", "PIP_TIMEOUT": "300"}


@contextmanager
def _serving(
    handler: Callable[..., SimpleHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
"""Runs a command as a user whom the permissions of files stop."""


def on_a_small_disk(mount: Path, options: str) -> list[str]:
    """Return what runs a command with a small disk at `mount`."""
    new_mounts = ["unshare", "--map-root-user", "--mount"]
    script = f'mount -t tmpfs -o {options} none {shlex.quote(str(mount))} && exec "$0" "$@"'
    wrapper = [*new_mounts, "sh", "-c", script]
    if subprocess.run([*wrapper, "true"], check=False).returncode != 0:
        pytest.fail(
            "this machine does not allow a test to mount a disk in a namespace of its own: run the "
            "tests as root, or on Ubuntu run 'sudo sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0' first"
        )
    return wrapper
