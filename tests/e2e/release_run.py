"""Run the release workflow with act, in a repository on this machine."""

import json
import shlex
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import redeliver
from github_sandbox import Proxy
from tests.e2e.api_github_com import ApiGithubCom, Route
from tests.e2e.workflow_run import REMOTE, TAG, act

BRANCH = f"release/{TAG}"
SOMEBODY = ("git", "-c", "user.name=somebody", "-c", "user.email=somebody@example.com")
MERGED = (*SOMEBODY, "merge", "--quiet", "--no-ff", "--message", "Merge", f"origin/{BRANCH}")
MERGED_AFTER_A_CHANGE = (
    "sh",
    "-e",
    "-c",
    f"""
    git rm --quiet .github/workflows/scorecard.yml
    {shlex.join(SOMEBODY)} commit --quiet --message "Remove a workflow"
    {shlex.join(MERGED)}
    """,
)
SQUASHED = (*SOMEBODY, "commit", "--quiet", "--allow-empty", "--message", "Both in one commit")
"""The branch changes no file, so a squash of it is an empty commit."""

AFTER_A_PUSH = """#!/bin/sh
read -r _ _ ref
test "$ref" = 'refs/heads/{branch}' || exit 0
repository=$PWD
unset GIT_DIR
cd "$(mktemp -d)"
git clone --quiet "$repository" .
{merge}
git push --quiet origin HEAD:main
"""
"""A hook of git, in place of the person who merges the branch that the workflow has pushed."""


class Draft:
    """A draft release on GitHub. https://docs.github.com/en/rest/releases/releases."""

    def __init__(self, *, commit: str, origin: Path) -> None:
        self.release = {"id": 7, "tag_name": TAG, "draft": True, "target_commitish": commit}
        self._origin = origin
        releases = "/repos/acme/ops/releases"
        self.routes: dict[str, Route] = {
            f"GET {releases}/tags/{TAG}": lambda _: (404, {"message": "Not Found"}),
            f"GET {releases}/7": lambda _: (200, self.release),
            f"PATCH {releases}/7": self._edit,
            "POST /graphql": self._query,
        }

    def _query(self, body: dict[str, str]) -> tuple[int, object]:
        if "refs/tags" in json.dumps(body):
            tags = run(self._origin, "git", "tag", "--list", TAG)
            return 200, {"data": {"repository": {"ref": {"id": "REF"} if tags else None}}}
        return 200, {"data": {"repository": {"release": {"databaseId": 7, "isDraft": True}}}}

    def _edit(self, body: dict[str, object]) -> tuple[int, object]:
        self.release = {**self.release, **body}
        return 200, {**self.release, "html_url": "https://github.com/acme/ops"}


@dataclass(frozen=True, kw_only=True)
class ReleaseRun:
    """A run of the release workflow, the repository it pushed to, and the draft it edited."""

    job: subprocess.CompletedProcess[str]
    origin: Path
    draft: Draft


@dataclass(frozen=True, kw_only=True)
class Releaser:
    """Runs the release workflow for copies of `sources`, with an image that has been built."""

    sources: Path
    image: str
    machine: str
    tls: ssl.SSLContext
    certificate: Path

    def run(
        self,
        directory: Path,
        *,
        merge: tuple[str, ...] = MERGED,
        branch: str = "main",
        pushed: str | None = None,
        refuses: bool = False,
    ) -> ReleaseRun:
        """Release a copy. As soon as its branch is pushed, `merge` merges it into main.

        The run starts on `branch`. The ref `pushed` is from an earlier run. If GitHub `refuses`, it
        lets nobody push the branch of the release.
        """
        copy, origin = directory / "copy", directory / "origin"
        shutil.copytree(self.sources, copy)
        version = redeliver.__version__
        if f"## [{version}]" not in (copy / "CHANGELOG.md").read_text():
            run(copy, sys.executable, ".github/release.py", "prepare", version)
        workflow = copy / ".github" / "workflows" / "release.yml"
        workflow.write_text(_without_images(workflow.read_text(), self.image))
        run(directory, "git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        run(copy, "git", "init", "--quiet", "--initial-branch=main")
        run(copy, "git", "add", "--all")
        run(copy, *SOMEBODY, "commit", "--quiet", "--message", f"Prepare {TAG}")
        run(copy, "git", "push", "--quiet", str(origin), "main")
        if pushed is not None:
            run(copy, "git", "push", "--quiet", str(origin), f"HEAD:{pushed}")
        run(copy, "git", "switch", "--quiet", "--force-create", branch)
        run(copy, "git", "remote", "add", "origin", REMOTE)
        hook = origin / "hooks" / ("pre-receive" if refuses else "post-receive")
        after_a_push = AFTER_A_PUSH.format(branch=BRANCH, merge=shlex.join(merge))
        hook.write_text("#!/bin/sh\nexit 1\n" if refuses else after_a_push)
        hook.chmod(0o755)
        draft = Draft(commit=run(copy, "git", "rev-parse", "HEAD"), origin=origin)
        with (
            ApiGithubCom(self.tls, self.certificate, draft.routes) as api,
            Proxy(leads=api.leads) as proxy,
        ):
            job = act(
                copy,
                "workflow_dispatch",
                *("-W", str(workflow), "--input", f"tag={TAG}", "-s", "GITHUB_TOKEN=ghs_0fTheJ0b"),
                # With these, git uses the repository `origin` in place of the one on github.com.
                *("--env", f"GIT_CONFIG_KEY_0=url.file://{origin}.insteadOf"),
                *("--env", f"GIT_CONFIG_VALUE_0={REMOTE}"),
                *("--env", "GIT_CONFIG_KEY_1=safe.directory", "--env", "GIT_CONFIG_VALUE_1=*"),
                *("--env", "GIT_CONFIG_COUNT=2"),
                *api.act_arguments(proxy.url, f"{origin}:{origin}"),
                runner=self.machine,
            )
        return ReleaseRun(job=job, origin=origin, draft=draft)


def _without_images(workflow: str, image: str) -> str:
    """Remove the jobs of release.yml that act cannot run: CI, and images for two platforms."""
    start, end = workflow.index("  test:\n"), workflow.index("  commit:\n")
    built = "${{ needs.image.outputs.name }}@${{ needs.image.outputs.digest }}"
    rest = workflow[:start] + workflow[end:]
    assert rest.count("needs: image\n") == rest.count(built) == 1
    return rest.replace("needs: image\n", "needs: check\n").replace(built, image)


def run(directory: Path, *command: str) -> str:
    """Run a command in a directory, and return its output."""
    process = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()
