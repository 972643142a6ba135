"""GitHub's own client, Octokit, works with the sandbox as it does with GitHub.

`make contract` runs this, because it needs packages from npm.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from github_sandbox import Receiver, Sandbox

SCRIPT = Path(__file__).parent / "octokit.js"


def exactly(number: int) -> int:
    return number


def rounded(number: int) -> int:
    """Return what JavaScript makes of a number beyond 2**53."""
    return int(float(number))


@pytest.mark.parametrize(
    ("package", "read_by_octokit"),
    [
        # Since version 10.0.8, of March 2026, @octokit/request reads big numbers as BigInt.
        pytest.param("octokit", exactly, id="octokit 5"),
        pytest.param("octokit-4", rounded, id="octokit 4"),
    ],
)
def test_octokit_works_with_the_sandbox(
    package: str, read_by_octokit: Callable[[int], int]
) -> None:
    """It reads a log of two pages, redelivers a delivery, and writes and reads a variable."""
    with Receiver() as receiver, Sandbox() as github:
        github.token("t0k3n", organization_hooks="write", actions_variables="write")
        github.repository("acme/ops")
        hook = github.org("acme").hook(receiver.url)
        for _ in range(120):
            hook.record()
        receiver.behave(status=503)
        missed = hook.emit("push")
        receiver.behave()
        log = hook.log
        newest_id = log[0]["id"]
        environment = {
            "TOKEN": "t0k3n",
            "API_URL": github.url,
            "ORG": hook.org,
            "HOOK_ID": str(hook.id),
            "REPOSITORY": "acme/ops",
        }

        run = subprocess.run(
            ["node", SCRIPT, package],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert run.returncode == 0, run.stderr
        results = json.loads(run.stdout)
        assert results["guids"] == [row["guid"] for row in log]
        assert results["written"] == [404, 201, 204]
        assert results["read"] == github.repository("acme/ops").variables["CHECKPOINT"] == "2"
        assert rounded(newest_id) != newest_id
        assert int(results["id"]) == read_by_octokit(newest_id)
        is_found = read_by_octokit(newest_id) == newest_id
        assert results["redelivered"] == (202 if is_found else 404)
        github.settle()
        assert [received.guid for received in receiver.received()] == [missed] * (1 + is_found)
