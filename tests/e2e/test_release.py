"""A release, as far as it needs nothing of GitHub: an image in a registry, used by its digest."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import redeliver
from github_sandbox import Receiver, Sandbox
from tests.e2e.stage import Stage, an_outage, arrived, filled_in

TAG = f"v{redeliver.__version__}"

CONFIGURATION = """
version: 0.1
storage: {{ filesystem: {{ rootdirectory: {directory} }} }}
http: {{ addr: 127.0.0.1:{port} }}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a registry that is empty."""
    directory = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = directory / "config.yml"
    configuration.write_text(CONFIGURATION.format(directory=directory, port=port))
    with (
        (directory / "log").open("w") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(configuration)], stdout=log, stderr=log
        ) as serving,
    ):
        while serving.poll() is None and not is_up(port):
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        serving.terminate()


def is_up(port: int) -> bool:
    """Tell whether somebody listens."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def released(
    action: Path, registry: str, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Give the release as those get it who use it."""
    name = f"{registry}/acme/redeliver"
    docker("tag", image, f"{name}:{TAG}")
    docker("push", "--quiet", f"{name}:{TAG}")
    digests = json.loads(docker("inspect", "--format", "{{json .RepoDigests}}", f"{name}:{TAG}"))
    [digest] = [each for each in digests if each.startswith(name)]
    docker("rmi", f"{name}:{TAG}")  # so that it has to be pulled

    sources = tmp_path_factory.mktemp("sources")
    origin = tmp_path_factory.mktemp("origin")
    shutil.copytree(action, sources, dirs_exist_ok=True)
    run(origin, "git", "init", "--quiet", "--bare")
    run(sources, "git", "init", "--quiet")
    run(sources, "git", "config", "user.name", "somebody")
    run(sources, "git", "config", "user.email", "somebody@example.com")
    run(sources, "git", "add", "--all")
    run(sources, "git", "commit", "--quiet", "--message", f"Prepare {TAG}")
    run(sources, sys.executable, ".github/release.py", "pin", TAG, digest)
    run(sources, "git", "push", "--quiet", str(origin), f"refs/tags/{TAG}")

    clone = tmp_path_factory.mktemp("clone")
    run(clone, "git", "clone", "--quiet", "--branch", TAG, str(origin), ".")
    yield clone
    docker("rmi", digest)


def docker(*arguments: str) -> str:
    """Have the engine do something."""
    return run(Path(), "docker", *arguments)


def run(directory: Path, *command: str) -> str:
    """Run a command there."""
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("example", ["organization.yml", "reusable-workflow.yml"])
def test_a_release_is_pulled_by_its_digest_and_not_built(
    example: str, released: Path, stage: Stage, github: Sandbox, receiver: Receiver
) -> None:
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = filled_in(example, {"my-org": "acme"}).replace("123456789", str(hook.id))

    job = replace(stage, action=released).run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert "/acme/redeliver@sha256:" in job.stdout
    assert "docker build" not in job.stdout
