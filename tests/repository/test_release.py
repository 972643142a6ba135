"""What keeps a draft from being published, and what a release consists of."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMIT = "c0ffee" * 6 + "c0ff"
IMAGE = f"ghcr.io/acme/redeliver@sha256:{'ab' * 32}"


def git(repository: Path, *arguments: str) -> str:
    """Run git, as somebody."""
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
    command = ["git", *somebody, *arguments]
    return subprocess.run(
        command, cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a copy of what matters for a release, in which version 1.2.0 is prepared."""
    for name in (".github", "docs", "examples", "src/redeliver"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*_modules"))
    for name in ("CHANGELOG.md", "README.md", "action.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert release(tmp_path, "prepare", "1.2.0").returncode == 0
    return tmp_path


def release(repository: Path, *arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    """Do one of the steps of a release."""
    return subprocess.run(
        [sys.executable, repository / ".github" / "release.py", *arguments],
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )


def checked(repository: Path, tag: str = "v1.2.0", **changed: str | bool) -> list[str]:
    """Give what is amiss with a draft that is as it should be, but for what is changed."""
    draft = {"isDraft": True, "tagName": tag, "targetCommitish": COMMIT, **changed}
    done = release(repository, "check", tag, COMMIT, told=json.dumps(draft))
    assert done.returncode == bool(done.stderr), done.stderr
    return done.stderr.splitlines()


def test_a_draft_of_the_prepared_version_and_of_this_commit_may_be_published(
    repository: Path,
) -> None:
    assert checked(repository) == []


def test_a_draft_of_anything_else_may_not(repository: Path) -> None:
    assert checked(repository, targetCommitish="main") == [
        f"the draft is of main, and this is {COMMIT}"
    ]
    assert checked(repository, tagName="v1.2.1") == ["the draft is of v1.2.1, not of v1.2.0"]
    assert checked(repository, isDraft=False) == ["v1.2.0 is published already"]
    assert checked(repository, "v1.3.0") == [
        "src/redeliver/__init__.py has another version than v1.3.0",
        "CHANGELOG.md does not have v1.3.0, with its date, next to what is unreleased",
    ]
    assert "v1 is no tag of a release, such as v1.2.0" in checked(repository, "v1")


def test_to_prepare_a_version_names_it_wherever_users_read_of_one(repository: Path) -> None:
    named = {
        version
        for path in (repository / "README.md", *repository.glob("examples/*.yml"))
        for version in re.findall(r"/redeliver\S*@(v\S+)", path.read_text().replace("`", " "))
    }

    assert named == {"v1.2.0"}
    assert '__version__ = "1.2.0"' in (repository / "src/redeliver/__init__.py").read_text()


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("v1.3.0", "v1.3.0 is no version, such as 1.2.0"),
        ("1.2.0", "CHANGELOG.md has 1.2.0 already"),
    ],
)
def test_a_version_is_prepared_once_and_as_a_number(
    repository: Path, version: str, problem: str
) -> None:
    assert release(repository, "prepare", version).stderr == f"{problem}\n"


def test_what_is_tagged_differs_from_its_sources_in_the_image_alone(repository: Path) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "1.2.0")
    for name, text in (("user.name", "somebody"), ("user.email", "somebody@example.com")):
        git(repository, "config", name, text)

    done = release(repository, "pin", "v1.2.0", IMAGE)

    assert done.returncode == 0, done.stderr
    change = git(repository, "diff", "--unified=0", "HEAD~1", "v1.2.0").splitlines()
    assert [line for line in change if re.match(r"[+-] ", line)] == [
        "-  image: Dockerfile",
        f"+  image: docker://{IMAGE}",
    ]


@pytest.mark.parametrize("image", ["ghcr.io/acme/redeliver:v1.2.0", "ghcr.io/acme/redeliver"])
def test_an_image_that_could_change_is_not_tagged(repository: Path, image: str) -> None:
    done = release(repository, "pin", "v1.2.0", image)

    assert done.stderr == f"{image} does not name an image by its digest\n"
    assert "  image: Dockerfile\n" in (repository / "action.yml").read_text()
