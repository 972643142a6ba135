"""The action as its users meet it: a workflow, run by act, with the image in a Docker engine."""

import subprocess
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Sandbox
from redeliver.core.checkpoint import format_checkpoint
from tests.e2e.stage import TOKEN, Stage, ago, an_outage, arrived, filled_in

NEXT_STEP = """
      - name: The next step
        if: always()
        shell: sh
        env:
          OUTPUTS: ${{ toJSON(steps.redeliver.outputs) }}
          PLAIN: ${{ vars.PLAIN }}
        run: |
          echo "$OUTPUTS"
          echo "PLAIN is $PLAIN"
"""


@dataclass(frozen=True)
class World:
    """GitHub with a hook whose receiver missed two of four events."""

    github: Sandbox
    receiver: Receiver
    hook: Hook
    missed: list[str]
    variables: dict[str, str]
    checkpoint: str

    def arrived_again(self) -> list[str]:
        """Give the GUIDs that arrived since; GitHub promises no order, so they are sorted."""
        return sorted(arrived(self.github, self.receiver, self.missed))


@pytest.fixture
def world(github: Sandbox, receiver: Receiver) -> World:
    variables = github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = format_checkpoint(ago(6))
    hook = github.org("acme").hook(receiver.url, secret="hush")
    return World(
        github=github,
        receiver=receiver,
        hook=hook,
        missed=an_outage(receiver, hook),
        variables=variables,
        checkpoint=variables["LAST_REDELIVERY"],
    )


def act(
    world: World, stage: Stage, *arguments: str, event: str = "workflow_dispatch", **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Run the quick start with more inputs, and a step after it that tells what it hears."""
    workflow = filled_in("organization.yml", {"my-org": "acme", "123456789": str(world.hook.id)})
    workflow = workflow.replace("- uses:", "- id: redeliver\n        uses:")
    more = "".join(f"          {name}: {text}\n" for name, text in inputs.items())
    return stage.run(workflow + more + NEXT_STEP, world.github, *arguments, event=event)


def test_a_workflow_brings_back_what_was_missed(world: World, stage: Stage) -> None:
    job = act(world, stage)

    assert job.returncode == 0, job.stdout
    assert world.arrived_again() == sorted(world.missed)
    assert world.variables["LAST_REDELIVERY"] > world.checkpoint
    assert '"redelivered": "2"' in job.stdout, "the outputs reach the next step"
    assert f'"checkpoint": "{world.variables["LAST_REDELIVERY"]}"' in job.stdout
    assert f"Redelivered: issues.opened {world.missed[0]}" in job.stdout
    assert "### redeliver: 2 events failed: 2 recovered" in job.stdout
    assert '"recovered": "2"' in job.stdout
    assert TOKEN not in job.stdout


def test_a_scheduled_run_does_the_same(world: World, stage: Stage) -> None:
    job = act(world, stage, event="schedule")

    assert job.returncode == 0, job.stdout
    assert world.arrived_again() == sorted(world.missed)


def test_a_dry_run_on_demand_changes_nothing(world: World, stage: Stage) -> None:
    job = act(world, stage, "--input", "dry-run=true")

    assert job.returncode == 0, job.stdout
    assert world.arrived_again() == []
    assert world.variables["LAST_REDELIVERY"] == world.checkpoint
    assert f"Would be redelivered: issues.opened {world.missed[0]}" in job.stdout


def test_a_token_that_is_no_secret_of_the_workflow_is_masked_all_the_same(
    world: World, stage: Stage
) -> None:
    # `variable-token` comes from a variable, which nothing masks but the action itself.
    world.github.token("ghp_plainVariable", actions_variables="write")
    plain = ("--var", "PLAIN=ghp_plainVariable")
    job = act(world, stage, *plain, **{"variable-token": "${{ vars.PLAIN }}"})

    assert job.returncode == 0, job.stdout
    assert world.variables["LAST_REDELIVERY"] > world.checkpoint
    assert "PLAIN is ***" in job.stdout, "also where a later step prints it"
    assert "ghp_plainVariable" not in job.stdout


def test_a_wrong_token_fails_the_job_with_advice(world: World, stage: Stage) -> None:
    stage = replace(stage, secrets={"REDELIVER_TOKEN": "ghp_wr0ngT0ken"})
    job = act(world, stage, hostname=f"{world.github.url}/api/v3")

    assert job.returncode != 0
    assert "::error::cannot read variable LAST_REDELIVERY of acme/ops" in job.stdout
    assert "mistyped, expired or revoked" in job.stdout
    assert "ghp_wr0ngT0ken" not in job.stdout
    assert world.arrived_again() == []
    assert world.variables["LAST_REDELIVERY"] == world.checkpoint


@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_container_that_is_stopped_saves_the_checkpoint_and_ends_in_time(
    world: World, image: str, tmp_path: Path, number: str, status: int
) -> None:
    # As the first process of a container, it gets no signal that it does not ask for.
    name = f"redeliver-e2e-{number.lower()}"
    stopped = ["docker", "kill", "--signal", number, name]
    stop = Meanwhile(lambda: subprocess.run(stopped, check=True, capture_output=True))
    # The one of the second event, whichever of those under way together comes first.
    second = next(row["id"] for row in world.hook.log if row["guid"] == world.missed[1])
    for fault in (stop, Delay(30.0)):
        world.github.inject(fault, method="POST", path=f".*/{second}/attempts")
    (tmp_path / "summary").touch()
    environment = {
        "INPUT_TOKEN": TOKEN,
        "INPUT_ORG": "acme",
        "INPUT_HOOK-ID": str(world.hook.id),
        "INPUT_VARIABLE-NAME": "LAST_REDELIVERY",
        "GITHUB_API_URL": world.github.url,
        "GITHUB_REPOSITORY": "acme/ops",
        "GITHUB_STEP_SUMMARY": "/github/summary",
    }
    variables = [text for pair in environment.items() for text in ("-e", "=".join(pair))]
    mount = ["-v", f"{tmp_path}:/github"]

    run = subprocess.run(
        ["docker", "run", "--rm", "--name", name, "--network", "host", *mount, *variables, image],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=20,
    )

    assert run.returncode == status, run.stdout
    assert f"::error::stopped by {number}. Nothing is lost" in run.stdout
    held = next(r["delivered_at"] for r in world.hook.log if r["guid"] == world.missed[1])
    assert world.variables["LAST_REDELIVERY"] == format_checkpoint(datetime.fromisoformat(held))
    assert f"stopped by {number}" in (tmp_path / "summary").read_text()


def test_the_image_holds_only_what_runs(image: str) -> None:
    found = subprocess.run(
        [
            *("docker", "run", "--rm", "--entrypoint", "find", image),
            *("/opt/redeliver/lib/python3.13/site-packages", "-maxdepth", "1"),
            *("-not", "-name", "*.dist-info"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    packages = {Path(line).name for line in found.splitlines()} - {"site-packages"}

    assert {"redeliver", "github", "actions_toolkit"} <= packages
    assert not packages & {"tests", "github_sandbox", "pip", "setuptools", "pytest"}
    leftovers = subprocess.run(
        [
            *("docker", "run", "--rm", "--entrypoint", "sh", image, "-c"),
            "ls -d /root/.cache /tmp/* /usr/src/* /action.yml 2>/dev/null || true",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert leftovers == ""
