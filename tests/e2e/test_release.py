"""A release is a tagged commit of main, whose actions and workflow pull its image by digest."""

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from github_sandbox import Receiver, Sandbox
from tests.e2e.release_run import (
    BRANCH,
    MERGED_AFTER_A_CHANGE,
    SQUASHED,
    Releaser,
    ReleaseRun,
    run,
)
from tests.e2e.workflow_run import TAG, Checkout, an_outage, arrived, filled_in, for_act

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
    name = f"{registry}/acme/image"
    docker("tag", image, f"{name}:{TAG}")
    docker("push", "--quiet", f"{name}:{TAG}")
    digests = json.loads(docker("inspect", "--format", "{{json .RepoDigests}}", f"{name}:{TAG}"))
    [digest] = [digest for digest in digests if digest.startswith(name)]
    docker("rmi", f"{name}:{TAG}")  # so that a job has to pull it
    yield digest
    docker("rmi", "--force", digest)  # which does not fail if no test pulled it


@pytest.fixture(scope="module")
def releaser(
    sources: Path, digest: str, machine: str, tls_of_github: ssl.SSLContext, certificate: Path
) -> Releaser:
    return Releaser(
        sources=sources, image=digest, machine=machine, tls=tls_of_github, certificate=certificate
    )


@pytest.fixture(scope="module")
def released(releaser: Releaser, tmp_path_factory: pytest.TempPathFactory) -> ReleaseRun:
    released = releaser.run(tmp_path_factory.mktemp("released"))
    assert released.job.returncode == 0, released.job.stdout
    return released


def docker(*arguments: str) -> str:
    """Run a Docker command, and return its output."""
    return run(Path(), "docker", *arguments)


def refs(released: ReleaseRun) -> list[str]:
    """Return the branches and tags of a release's repository."""
    return run(released.origin, "git", "for-each-ref", "--format", "%(refname)").splitlines()


def test_the_tag_is_a_commit_of_main_and_of_its_release_branch(released: ReleaseRun) -> None:
    def git(*arguments: str) -> str:
        return run(released.origin, "git", *arguments)

    tag = git("rev-parse", f"refs/tags/{TAG}")

    assert git("cat-file", "-t", tag) == "commit"  # and not an annotated tag
    branches = git("branch", "--contains", tag, "--format", "%(refname:short)")
    assert branches.splitlines() == ["main", BRANCH]
    assert git("diff", f"{tag}~1", "main") == ""  # on main, the image is built again


def test_the_draft_is_still_a_draft_and_has_the_tag(released: ReleaseRun) -> None:
    draft = released.draft.release

    assert draft["draft"] is True
    assert draft["tag_name"] == TAG
    assert draft["target_commitish"] == run(released.origin, "git", "rev-parse", f"refs/tags/{TAG}")


def test_a_release_that_was_squashed_gets_no_tag(releaser: Releaser, tmp_path: Path) -> None:
    squashed = releaser.run(tmp_path, merge=SQUASHED)

    assert squashed.job.returncode == 1
    problem = f"is not a commit of main, so merge {BRANCH} with a merge commit"
    assert problem in squashed.job.stdout
    assert run(squashed.origin, "git", "tag") == ""


def test_a_refused_push_says_what_to_do(releaser: Releaser, tmp_path: Path) -> None:
    refused = releaser.run(tmp_path, refuses=True)

    assert refused.job.returncode == 1
    assert "give the draft the newest commit of main and start a new run" in refused.job.stdout
    assert refs(refused) == ["refs/heads/main"]


def test_a_person_edits_the_draft_if_main_has_other_workflows(
    releaser: Releaser, tmp_path: Path
) -> None:
    """GitHub would respond with 404 to the workflow."""
    changed = releaser.run(tmp_path, merge=MERGED_AFTER_A_CHANGE)

    commit = run(changed.origin, "git", "rev-parse", f"refs/tags/{TAG}")
    assert changed.job.returncode == 1
    command = f"gh release edit {TAG} --tag {TAG} --verify-tag --target {commit}"
    assert f"with a token that may change workflows: {command}" in changed.job.stdout
    assert changed.draft.release["target_commitish"] != commit


@pytest.mark.parametrize("pushed", [f"refs/heads/{BRANCH}", f"refs/tags/{TAG}"])
def test_a_version_is_not_released_twice(releaser: Releaser, tmp_path: Path, pushed: str) -> None:
    again = releaser.run(tmp_path, pushed=pushed)

    assert again.job.returncode == 1
    problem = f"{TAG} has a branch or a tag of an earlier run, so run only its failed jobs again"
    assert problem in again.job.stdout
    assert refs(again) == ["refs/heads/main", pushed]


def test_a_release_starts_on_main(releaser: Releaser, tmp_path: Path) -> None:
    elsewhere = releaser.run(tmp_path, branch="some-change")

    assert elsewhere.job.returncode == 1
    assert "start this workflow on main" in elsewhere.job.stdout
    assert refs(elsewhere) == ["refs/heads/main"]


@pytest.mark.parametrize("example", ["organization.yml", "reusable-workflow.yml"])
@pytest.mark.parametrize("pin", ["tag", "commit"])
def test_a_caller_pulls_the_image_by_its_digest(
    pin: str,
    example: str,
    released: ReleaseRun,
    checkout: Checkout,
    github: Sandbox,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    ref = TAG if pin == "tag" else run(released.origin, "git", "rev-parse", TAG)
    clone = tmp_path_factory.mktemp("clone")
    run(clone, "git", "clone", "--quiet", "--branch", TAG, str(released.origin), ".")
    for_act(clone, ref)
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = filled_in(example, {"my-org": "acme", f"@{TAG}": f"@{ref}"})

    job = replace(checkout, action=clone, ref=ref).run(
        workflow.replace("123456789", str(hook.id)), github
    )

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "/acme/image@sha256:" in job.stdout
    assert "docker build" not in job.stdout
