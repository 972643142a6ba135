"""Octokit as anybody's script uses it: where it stumbles, the sandbox is wrong.

Run by `make contract`, for it needs npm's packages.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from github_sandbox import Receiver, Sandbox

SCRIPT = Path(__file__).parent / "octokit.js"


def as_it_is(number: int) -> int:
    return number


def rounded(number: int) -> int:
    """Give what a number is to JavaScript, beyond 2**53."""
    return int(float(number))


@pytest.mark.parametrize(
    ("package", "reads"),
    [
        # Since @octokit/request 10.0.8, of March 2026, which has big numbers be a BigInt.
        pytest.param("octokit", as_it_is, id="octokit 5"),
        pytest.param("octokit-4", rounded, id="octokit 4"),
    ],
)
def test_octokit_finds_its_way(package: str, reads: Callable[[int], int]) -> None:
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
        newest = log[0]["id"]
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
        seen = json.loads(run.stdout)
        assert seen["guids"] == [row["guid"] for row in log]
        assert seen["written"] == [404, 201, 204]
        assert seen["read"] == github.repository("acme/ops").variables["CHECKPOINT"] == "2"
        # To us, JSON's numbers are what they are.
        assert rounded(newest) != newest
        assert int(seen["id"]) == reads(newest)
        is_found = reads(newest) == newest
        assert seen["redelivered"] == (202 if is_found else 404)
        github.settle()
        assert [each.guid for each in receiver.received()] == [missed] * (1 + is_found)
