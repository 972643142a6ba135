"""A loop needs no more memory, threads and files after a thousand runs than after some."""

import json
import subprocess
import sys
from pathlib import Path

from github_sandbox import Hook, Sandbox
from tests.support.builders import TOKEN, ago

ROOT = Path(__file__).parents[2]

MAX_GROWTH = 100_000
"""How many bytes 800 runs may add. If each kept its report, they would add 2 MB."""


def test_a_thousand_runs_need_no_more_memory_than_some(
    github: Sandbox,
    recorded_hook: Hook,
    tmp_path: Path,
) -> None:
    """Each run gives up the same event, so each has something to say, but only once."""
    recorded_hook.record_many(50, since=ago(minutes=9), until=ago(minutes=8))
    recorded_hook.record(status="oh", status_code=500, at=ago(minutes=7))
    program = subprocess.run(
        [
            *(sys.executable, "-m", "tests.long.many_runs"),
            *("--org", "acme", "--hook-id", str(recorded_hook.id), "--give-up-after", "5m"),
            *("--checkpoint-file", str(tmp_path / "checkpoint.json"), "--every", "1s"),
        ],
        cwd=ROOT,
        env={"REDELIVER_TOKEN": TOKEN, "REDELIVER_HOSTNAME": github.url},
        capture_output=True,
        text=True,
        check=True,
    )

    figures = {each["runs"]: each for each in map(json.loads, program.stdout.splitlines())}
    early, late = figures[200], figures[1000]
    growth = late["traced"] - early["traced"]
    assert growth < MAX_GROWTH
    assert late["threads"] <= early["threads"] + 1, "the thread of a request may be about to end"
    assert late["files"] <= early["files"]
    assert program.stderr.count("Given up: ") == 1
