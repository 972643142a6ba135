"""Prepare a release, check its draft, and commit an action that pulls the image of the release.

    python3 .github/release.py prepare 1.2.0
    gh release view v1.2.0 --json isDraft,tagName,targetCommitish | \
        python3 .github/release.py check v1.2.0 COMMIT
    python3 .github/release.py released v1.2.0
    python3 .github/release.py commit v1.2.0 ghcr.io/OWNER/NAME@sha256:DIGEST

This script needs only Python and git.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ACTIONS = (ROOT / "action.yml", ROOT / "image" / "action.yml")
"""The Docker actions."""
CHANGELOG = ROOT / "CHANGELOG.md"
VERSION = ROOT / "src" / "redeliver" / "__init__.py"
NAMING = ("README.md", "docs/*.md", "examples/*.yml", ".github/workflows/*.yml")
"""The files that name the release for users to copy."""

RELEASE = r"(/redeliver(?:[\w./-]*@|/)v|/redeliver_webhooks-)[\d.]*\d"
"""What names a release: the end of `uses:`, a link to one of its files, or a package on PyPI."""

DIGEST = r"[a-z0-9.:/_-]+@sha256:[0-9a-f]{64}"
"""The name of an image with its digest."""

UNRELEASED = "## [Unreleased]\n"


def prepare(version: str) -> None:
    """Write this version into the code, the pages and the examples, and date the changelog."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        sys.exit(f"{version} is not a version such as 1.2.0")
    if f"## [{version}]" in CHANGELOG.read_text():
        sys.exit(f"CHANGELOG.md already has {version}")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    _replace(VERSION, r'__version__ = ".*"', f'__version__ = "{version}"')
    _replace(CHANGELOG, re.escape(UNRELEASED), f"{UNRELEASED}\n## [{version}] - {today}\n")
    for path in (path for pattern in NAMING for path in sorted(ROOT.glob(pattern))):
        path.write_text(re.sub(RELEASE, rf"\g<1>{version}", path.read_text()))


def check(tag: str, commit: str, draft: Mapping[str, Any]) -> Iterator[str]:
    """Yield each reason why `draft` must not be published as `tag` from `commit`."""
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        yield f"{tag} is not the tag of a release, such as v1.2.0"
    yield from _wrong_version(tag)
    headings = re.findall(r"^## .*", CHANGELOG.read_text(), flags=re.MULTILINE)
    released = rf"## \[{re.escape(tag.removeprefix('v'))}\] - \d{{4}}-\d\d-\d\d"
    if not re.fullmatch(released, next(iter(headings[1:]), "")):
        yield f"the first heading after Unreleased in CHANGELOG.md must be {tag} with its date"
    if not draft["isDraft"]:
        yield f"{tag} is already published"
    if draft["tagName"] != tag:
        yield f"the tag of the draft is {draft['tagName']}, not {tag}"
    if draft["targetCommitish"] != commit:
        yield (
            f"the target of the draft is {draft['targetCommitish']}, not this commit, {commit}. To "
            f"release it, run 'gh release edit {tag} --target {commit}'"
        )


def commit_release(tag: str, image: str) -> None:
    """Commit the release to a new branch, and after it a commit that takes the change back.

    The release is the first commit. In it, the Docker actions name the image by digest. Both
    commits have the date of the commit before them, and so always the same ids: a job that failed
    after it had pushed them can run again.
    """
    if not re.fullmatch(DIGEST, image):
        sys.exit(f"{image} does not name an image by its digest")
    _git("switch", "--quiet", "--create", f"release/{tag}")
    for path in ACTIONS:
        _replace(path, r"^  image: (\.\./)?Dockerfile( #.*)?$", f"  image: docker://{image}")
    _commit(f"Release {tag}, whose actions pull the image")
    _git("checkout", "--quiet", "HEAD~1", "--", *ACTIONS)
    _commit(f"After {tag}, build the image from the Dockerfile again")


def released(tag: str) -> Iterator[str]:
    """Yield each reason why this checkout is not the release with `tag`."""
    yield from _wrong_version(tag)
    for path in ACTIONS:
        if not re.search(rf"^  image: docker://{DIGEST}$", path.read_text(), flags=re.MULTILINE):
            yield f"{path.relative_to(ROOT)} does not name an image by its digest"


def _wrong_version(tag: str) -> Iterator[str]:
    if f'__version__ = "{tag.removeprefix("v")}"' not in VERSION.read_text():
        yield f"{VERSION.relative_to(ROOT)} does not have the version of {tag}"


def _replace(path: Path, pattern: str, text: str) -> None:
    changed, times = re.subn(pattern, text, path.read_text(), flags=re.MULTILINE)
    if times != 1:
        sys.exit(f"{path.relative_to(ROOT)} must match {pattern!r} once, but matches {times} times")
    path.write_text(changed)


def _commit(message: str) -> None:
    date = _git("show", "--no-patch", "--format=%cI", "HEAD").strip()
    dated = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    _git("commit", "--quiet", "--message", message, "--", *ACTIONS, more=dated)


def _git(*arguments: str | Path, more: Mapping[str, str] | None = None) -> str:
    environment = os.environ | (more or {})
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", version]:
            prepare(version)
        case ["check", tag, commit]:
            sys.exit("\n".join(check(tag, commit, json.load(sys.stdin))) or None)
        case ["released", tag]:
            sys.exit("\n".join(released(tag)) or None)
        case ["commit", tag, image]:
            commit_release(tag, image)
        case _:
            sys.exit(__doc__)
