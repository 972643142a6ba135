"""The job of CI that runs the action without Docker does what its steps say, here on Linux.

The machine is like ubuntu-slim: the command `docker` is there, but no engine runs.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.without_docker.runner import contents
from tests.e2e.workflow_run import ACT, ROOT

JOB = "without-docker"
DOCKER = """#!/bin/sh
echo "$*" >> {calls}
echo 'failed to connect to the docker API' >&2
exit 1
"""


@pytest.fixture
def port() -> Iterator[int]:
    """Return a free port. Afterwards, end the simulated GitHub on it, as a runner does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    yield port
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        if contents(command).endswith(f"simulated_github\0{port}\0".encode()):
            os.kill(int(command.parent.name), signal.SIGTERM)


def test_the_job_of_ci_recovers_events_without_docker(
    action: Path, index: Path, tmp_path: Path, port: int
) -> None:
    """Its steps run on this machine, except those that need GitHub."""
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert "ubuntu-slim" in ci["jobs"][JOB]["strategy"]["matrix"]["os"]
    steps = ci["jobs"][JOB]["steps"]
    steps = [step for step in steps if not step.get("uses", "").startswith("actions/setup-")]
    needs_github = [step.get("id") for step in steps].index("redeliver")
    job = {"runs-on": "ubuntu-slim", "steps": steps[:needs_github]}
    text = yaml.safe_dump({"on": "push", "jobs": {JOB: job}})
    # act does not know $/, and another program may listen on port 8000.
    text = text.replace("$/composite", "./composite").replace("8000", str(port))
    checkout = shutil.copytree(action, tmp_path / "checkout")
    shutil.rmtree(checkout / ".github")
    workflow = checkout / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=checkout, check=True)
    calls = tmp_path / "calls"
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER.format(calls=calls))
    docker.chmod(0o755)

    on_this_machine = ("-P", "ubuntu-slim=-self-hosted")
    run = subprocess.run(
        [ACT, "push", *on_this_machine, "--env", f"PIP_INDEX_URL={index.as_uri()}"],
        cwd=checkout,
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "DOCKER_HOST": f"unix://{tmp_path}/docker.sock",  # nothing listens there
            "PATH": os.pathsep.join(
                [str(docker.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert "Success - Main Check that it recovered both events" in run.stdout
    assert not calls.exists()
