"""The commands of docs/why-trust-it.md compare an image with one that they build."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.workflow_run import ROOT

PAGE = ROOT / "docs" / "why-trust-it.md"
BLOCK = r"<!-- image -->\n```sh\n(.*?)```"


@pytest.fixture
def repository(sources: Path, tmp_path: Path) -> Path:
    """Return a repository whose last commit, like a release, is after the one to build."""
    shutil.copytree(sources, tmp_path, dirs_exist_ok=True)
    somebody = ("-c", "user.name=somebody", "-c", "user.email=")
    for command in (
        ("init", "--quiet"),
        ("add", "--force", "."),
        (*somebody, "commit", "--quiet", "--message", "Reviewed"),
        (*somebody, "commit", "--quiet", "--allow-empty", "--message", "Release"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def compare(image: str, repository: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of the page."""
    [commands] = re.findall(BLOCK, PAGE.read_text(), flags=re.DOTALL)
    return subprocess.run(
        ["sh", "-c", commands],
        cwd=repository,
        env=os.environ | {"image": image, "commit": "HEAD"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_an_image_that_is_built_alike_has_no_differences(image: str, repository: Path) -> None:
    comparison = compare(image, repository)

    assert (comparison.returncode, comparison.stdout) == (0, ""), comparison.stderr


def test_an_image_with_more_code_or_packages_shows_it(
    image: str, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = "/opt/redeliver/lib/python3*/site-packages"
    dockerfile = tmp_path_factory.mktemp("changed") / "Dockerfile"
    dockerfile.write_text(
        f"FROM {image}\nRUN cd {library} && touch redeliver/more.py && mkdir more-1.0.dist-info\n"
    )
    build = ["docker", "build", "--quiet", "--tag", f"{image}-changed", str(dockerfile.parent)]
    subprocess.run(build, check=True, capture_output=True)

    comparison = compare(f"{image}-changed", repository)

    assert re.findall(r"^Only in released/.*: (.*)", comparison.stdout, flags=re.MULTILINE) == [
        "more-1.0.dist-info",
        "more.py",
    ]
