"""A workflow can use a release, which the release workflow tags with its image in a registry."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import redeliver
from github_sandbox import Proxy, Receiver, Sandbox
from tests.e2e.api_github_com import ApiGithubCom, Route
from tests.e2e.workflow_run import REMOTE, Checkout, act, an_outage, arrived, filled_in

TAG = f"v{redeliver.__version__}"

CONFIGURATION = """
version: 0.1
storage: {{ filesystem: {{ rootdirectory: {directory} }} }}
http: {{ addr: 127.0.0.1:{port} }}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an empty registry, and return its address."""
    directory = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    configuration = directory / "config.yml"
    configuration.write_text(CONFIGURATION.format(directory=directory, port=port))
    with (
        (directory / "log").open("w") as log,
        subprocess.Popen(
            ["docker-registry", "serve", str(configuration)], stdout=log, stderr=log
        ) as process,
    ):
        while process.poll() is None and not is_up(port):
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        process.terminate()


def is_up(port: int) -> bool:
    """Whether a server listens on this port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def digest(registry: str, image: str) -> Iterator[str]:
    """Push the action's image to the registry, and return its name with the digest."""
    name = f"{registry}/acme/redeliver"
    docker("tag", image, f"{name}:{TAG}")
    docker("push", "--quiet", f"{name}:{TAG}")
    digests = json.loads(docker("inspect", "--format", "{{json .RepoDigests}}", f"{name}:{TAG}"))
    [digest] = [digest for digest in digests if digest.startswith(name)]
    docker("rmi", f"{name}:{TAG}")  # so that a job has to pull it
    yield digest
    docker("rmi", digest)


@pytest.fixture(scope="module")
def origin(
    action: Path,
    digest: str,
    machine: str,
    tls_of_github: ssl.SSLContext,
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Run the release workflow without CI and images, and return the repository it pushes to."""
    sources, origin = (tmp_path_factory.mktemp(name) for name in ("sources", "origin"))
    shutil.copytree(action, sources, dirs_exist_ok=True)
    version = redeliver.__version__
    if f"## [{version}]" not in (sources / "CHANGELOG.md").read_text():
        run(sources, sys.executable, ".github/release.py", "prepare", version)
    workflow = sources / ".github" / "workflows" / "release.yml"
    workflow.write_text(without_images(workflow.read_text(), digest))
    run(origin, "git", "init", "--quiet", "--bare")
    run(sources, "git", "init", "--quiet")
    run(sources, "git", "remote", "add", "origin", REMOTE)
    run(sources, "git", "config", f"url.file://{origin}.pushInsteadOf", REMOTE)
    run(sources, "git", "add", "--all")
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    run(sources, "git", *somebody, "commit", "--quiet", "--message", f"Prepare {TAG}")
    draft = Draft(commit=run(sources, "git", "rev-parse", "HEAD"), origin=origin)
    with (
        ApiGithubCom(tls_of_github, certificate, draft.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        job = act(
            sources,
            "workflow_dispatch",
            *("-W", str(workflow), "--input", f"tag={TAG}", "-s", "GITHUB_TOKEN=ghs_0fTheJ0b"),
            *api.act_arguments(proxy.url, f"{origin}:{origin}"),
            runner=machine,
        )
    assert job.returncode == 0, job.stdout
    assert draft.is_published
    return origin


def without_images(workflow: str, digest: str) -> str:
    """Remove the jobs of release.yml that act cannot run: CI, and images for two platforms."""
    start, end = workflow.index("  test:\n"), workflow.index("  publish:\n")
    image = "${{ needs.image.outputs.name }}@${{ needs.image.outputs.digest }}"
    rest = workflow[:start] + workflow[end:]
    assert rest.count("needs: image\n") == rest.count(image) == 1
    return rest.replace("needs: image\n", "needs: check\n").replace(image, digest)


class Draft:
    """A draft release on GitHub. https://docs.github.com/en/rest/releases/releases."""

    def __init__(self, *, commit: str, origin: Path) -> None:
        self.is_published = False
        self._release = {"id": 7, "tag_name": TAG, "draft": True, "target_commitish": commit}
        self._origin = origin
        releases = "/repos/acme/ops/releases"
        self.routes: dict[str, Route] = {
            f"GET {releases}/tags/{TAG}": lambda _: (404, {"message": "Not Found"}),
            f"GET {releases}/7": lambda _: (200, self._release),
            f"PATCH {releases}/7": self._edit,
            "POST /graphql": self._query,
        }

    def _query(self, body: dict[str, str]) -> tuple[int, object]:
        if "refs/tags" in json.dumps(body):
            tags = run(self._origin, "git", "tag", "--list", TAG)
            return 200, {"data": {"repository": {"ref": {"id": "REF"} if tags else None}}}
        return 200, {"data": {"repository": {"release": {"databaseId": 7, "isDraft": True}}}}

    def _edit(self, body: dict[str, object]) -> tuple[int, object]:
        assert (body["draft"], body["tag_name"]) == (False, TAG)
        self.is_published = True
        return 200, {**self._release, "draft": False, "html_url": "https://github.com/acme/ops"}


@pytest.fixture(scope="module")
def release(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of the release, as a user of the action gets it."""
    clone = tmp_path_factory.mktemp("clone")
    run(clone, "git", "clone", "--quiet", "--branch", TAG, str(origin), ".")
    return clone


def docker(*arguments: str) -> str:
    """Run a Docker command, and return its output."""
    return run(Path(), "docker", *arguments)


def run(directory: Path, *command: str) -> str:
    """Run a command in a directory, and return its output."""
    process = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


@pytest.mark.parametrize("example", ["organization.yml", "reusable-workflow.yml"])
def test_a_release_is_pulled_by_its_digest_and_not_built(
    example: str, release: Path, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = filled_in(example, {"my-org": "acme"}).replace("123456789", str(hook.id))

    job = replace(checkout, action=release).run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "/acme/redeliver@sha256:" in job.stdout
    assert "docker build" not in job.stdout
