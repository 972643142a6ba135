"""The release script refuses a draft that is not the prepared release, and commits the image."""

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMIT = "c0ffee" * 6 + "c0ff"
IMAGE = f"ghcr.io/acme/image@sha256:{'ab' * 32}"


def git(repository: Path, *arguments: str) -> str:
    """Run git and return its output."""
    return subprocess.run(
        ["git", *arguments], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of the files that a release changes, with version 1.2.0 prepared."""
    for name in (".github", "docs", "examples", "image", "src/redeliver"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*_modules"))
    for name in ("CHANGELOG.md", "README.md", "action.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert release(tmp_path, "prepare", "1.2.0").returncode == 0
    return tmp_path


def release(repository: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the release script."""
    return subprocess.run(
        [sys.executable, repository / ".github" / "release.py", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def problems(repository: Path, tag: str = "v1.2.0", **changes: str | bool) -> list[str]:
    """Return the script's errors for a draft that is right except for `changes`."""
    draft = {"isDraft": True, "tagName": tag, "targetCommitish": COMMIT, **changes}
    check = release(repository, "check", tag, COMMIT, stdin=json.dumps(draft))
    assert check.returncode == bool(check.stderr), check.stderr
    return check.stderr.splitlines()


def test_a_draft_of_the_prepared_commit_may_be_published(repository: Path) -> None:
    assert problems(repository) == []


def test_a_draft_of_anything_else_may_not_be_published(repository: Path) -> None:
    advice = f"To release it, run 'gh release edit v1.2.0 --target {COMMIT}'"
    assert problems(repository, targetCommitish="main") == [
        f"the target of the draft is main, not this commit, {COMMIT}. {advice}"
    ]
    assert problems(repository, tagName="v1.2.1") == ["the tag of the draft is v1.2.1, not v1.2.0"]
    assert problems(repository, isDraft=False) == ["v1.2.0 is already published"]
    assert problems(repository, "v1.3.0") == [
        "src/redeliver/__init__.py does not have the version of v1.3.0",
        "the first heading after Unreleased in CHANGELOG.md must be v1.3.0 with its date",
    ]
    assert "v1 is not the tag of a release, such as v1.2.0" in problems(repository, "v1")


def test_a_prepared_version_is_written_wherever_users_read_it(repository: Path) -> None:
    versions = {
        version
        for path in (repository / "README.md", *repository.glob("examples/*.yml"))
        for version in re.findall(r"/redeliver\S*@(v[^\s`']+)", path.read_text())
    }

    assert versions == {"v1.2.0"}
    assert '__version__ = "1.2.0"' in (repository / "src/redeliver/__init__.py").read_text()


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("v1.3.0", "v1.3.0 is not a version such as 1.2.0"),
        ("1.2.0", "CHANGELOG.md already has 1.2.0"),
    ],
)
def test_a_malformed_or_released_version_is_not_prepared(
    repository: Path, version: str, problem: str
) -> None:
    assert release(repository, "prepare", version).stderr == f"{problem}\n"


def commit_all(repository: Path) -> None:
    """Commit the prepared version to a new git repository."""
    git(repository, "init", "--quiet")
    git(repository, "config", "user.name", "somebody")
    git(repository, "config", "user.email", "somebody@example.com")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "1.2.0")


def test_a_job_that_runs_again_makes_the_same_commits(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The date is the only part of a commit that could differ."""
    yesterday = "2026-11-26T08:00:00+00:00"
    with monkeypatch.context() as context:
        context.setenv("GIT_COMMITTER_DATE", yesterday)
        commit_all(repository)

    assert release(repository, "commit", "v1.2.0", IMAGE).returncode == 0

    dates = git(repository, "log", "-2", "--format=%aI%n%cI", "release/v1.2.0").splitlines()
    assert [datetime.fromisoformat(date) for date in dates] == [
        datetime.fromisoformat(yesterday)
    ] * 4


def test_only_the_first_of_two_commits_pulls_the_image(repository: Path) -> None:
    commit_all(repository)

    done = release(repository, "commit", "v1.2.0", IMAGE)

    assert done.returncode == 0, done.stderr
    branch, before = "release/v1.2.0", "release/v1.2.0~2"
    diff = git(repository, "diff", "--unified=0", before, f"{branch}~1").splitlines()
    assert [line for line in diff if re.match(r"[+-] ", line)] == [
        "-  image: Dockerfile",
        f"+  image: docker://{IMAGE}",
        "-  image: ../Dockerfile # zizmor: ignore[unpinned-images] - this is a file, no image",
        f"+  image: docker://{IMAGE}",
    ]
    assert git(repository, "diff", before, branch) == ""
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("image", ["ghcr.io/acme/image:v1.2.0", "ghcr.io/acme/image"])
def test_an_image_without_a_digest_is_not_committed(repository: Path, image: str) -> None:
    done = release(repository, "commit", "v1.2.0", image)

    assert done.stderr == f"{image} does not name an image by its digest\n"


def test_a_prepared_version_is_in_each_line_that_installs(repository: Path) -> None:
    page = (repository / "docs" / "own-server.md").read_text()

    assert page.count("1.2.0") == 6
    assert re.findall(r"v?1\.0\.0\S*", page) == []


def test_only_the_release_itself_is_published_to_pypi(repository: Path) -> None:
    assert release(repository, "released", "v1.2.1").stderr.splitlines() == [
        "src/redeliver/__init__.py does not have the version of v1.2.1",
        "action.yml does not name an image by its digest",
        "image/action.yml does not name an image by its digest",
    ]
    for path in (repository / "action.yml", repository / "image" / "action.yml"):
        path.write_text(
            re.sub(r"image: .*Dockerfile.*", f"image: docker://{IMAGE}", path.read_text())
        )

    assert release(repository, "released", "v1.2.0").returncode == 0
