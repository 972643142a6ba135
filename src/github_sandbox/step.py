"""Run the program as a runner does: a process with its inputs in the environment."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COVERAGE = "COVERAGE_"
"""What a step keeps of our environment begins like this, so that coverage can follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a run left behind."""

    status: int
    log: str
    errors: str
    outputs: Mapping[str, str]
    summary: str


def run_step(
    inputs: Mapping[str, str], environment: Mapping[str, str], *, workspace: Path | None = None
) -> Step:
    """Run the program in `workspace`; `inputs` by their names in action.yml."""
    with tempfile.TemporaryDirectory(prefix="step-") as temporary:
        output, summary = Path(temporary, "output"), Path(temporary, "summary")
        output.touch()
        summary.touch()
        done = subprocess.run(
            [sys.executable, "-I", "-m", "redeliver"],
            env={name: text for name, text in os.environ.items() if name.startswith(COVERAGE)}
            | {f"INPUT_{name.upper()}": text for name, text in inputs.items()}
            | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
            | dict(environment),
            cwd=workspace or temporary,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Step(
            status=done.returncode,
            log=done.stdout,
            errors=done.stderr,
            outputs=_outputs(output.read_text(encoding="utf-8")),
            summary=summary.read_text(encoding="utf-8"),
        )


def _outputs(text: str) -> dict[str, str]:
    """Read the runner's file of outputs: name<<delimiter, lines of the value, delimiter."""
    lines = iter(text.splitlines())
    outputs = {}
    for line in lines:
        name, _, delimiter = line.partition("<<")
        outputs[name] = "\n".join(iter(lines.__next__, delimiter))
    return outputs
