"""The action works in a workflow, which act runs with the image in a Docker engine."""

import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from github_sandbox import Delay, Hook, Meanwhile, Receiver, Sandbox
from redeliver.core.checkpoint import Ended, format_checkpoint, parse_checkpoint
from tests.e2e.workflow_run import TOKEN, Checkout, an_outage, arrived, filled_in

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
class Outage:
    """A sandbox with a webhook whose receiver missed two of four events."""

    github: Sandbox
    receiver: Receiver
    hook: Hook
    missed: list[str]
    variables: dict[str, str]
    checkpoint: str

    def arrived(self) -> list[str]:
        """Return the GUIDs of the missed events that have arrived since, sorted."""
        return arrived(self.github, self.receiver, self.missed)


@pytest.fixture
def outage(github: Sandbox, receiver: Receiver) -> Outage:
    variables = github.repository("acme/ops").variables
    variables["LAST_REDELIVERY"] = format_checkpoint(datetime.now(UTC) - timedelta(hours=6))
    hook = github.org("acme").hook(receiver.url, secret="hush")
    return Outage(
        github=github,
        receiver=receiver,
        hook=hook,
        missed=an_outage(receiver, hook),
        variables=variables,
        checkpoint=variables["LAST_REDELIVERY"],
    )


def run_quick_start(
    outage: Outage,
    checkout: Checkout,
    *arguments: str,
    event: str = "workflow_dispatch",
    **inputs: str,
) -> subprocess.CompletedProcess[str]:
    """Run the quick start with more inputs, and a next step that prints the outputs."""
    workflow = filled_in("organization.yml", {"my-org": "acme", "123456789": str(outage.hook.id)})
    workflow = workflow.replace("- uses:", "- id: redeliver\n        uses:")
    more_inputs = "".join(f"          {name}: {text}\n" for name, text in inputs.items())
    return checkout.run(workflow + more_inputs + NEXT_STEP, outage.github, *arguments, event=event)


def test_a_workflow_recovers_the_missed_events(outage: Outage, checkout: Checkout) -> None:
    job = run_quick_start(outage, checkout)

    assert job.returncode == 0, job.stdout
    assert outage.arrived() == sorted(outage.missed)
    assert outage.variables["LAST_REDELIVERY"] > outage.checkpoint
    assert '"requested": "2"' in job.stdout, "the next step has the outputs"
    assert f'"checkpoint": "{outage.variables["LAST_REDELIVERY"]}"' in job.stdout
    assert f"Requested: issues.opened {outage.missed[0]}" in job.stdout
    assert "### redeliver: 2 events failed: 2 recovered" in job.stdout
    assert '"recovered": "2"' in job.stdout
    assert TOKEN not in job.stdout


def test_a_scheduled_run_recovers_the_missed_events(outage: Outage, checkout: Checkout) -> None:
    job = run_quick_start(outage, checkout, event="schedule")

    assert job.returncode == 0, job.stdout
    assert outage.arrived() == sorted(outage.missed)


def test_a_dry_run_on_demand_changes_nothing(outage: Outage, checkout: Checkout) -> None:
    job = run_quick_start(outage, checkout, "--input", "dry-run=true")

    assert job.returncode == 0, job.stdout
    assert outage.arrived() == []
    assert outage.variables["LAST_REDELIVERY"] == outage.checkpoint
    assert f"Would be redelivered: issues.opened {outage.missed[0]}" in job.stdout


def test_a_token_that_is_not_a_secret_is_masked_too(outage: Outage, checkout: Checkout) -> None:
    # The runner masks only secrets, and this token is a variable.
    outage.github.token("ghp_plainVariable", actions_variables="write")
    variable = ("--var", "PLAIN=ghp_plainVariable")
    job = run_quick_start(outage, checkout, *variable, **{"variable-token": "${{ vars.PLAIN }}"})

    assert job.returncode == 0, job.stdout
    assert outage.variables["LAST_REDELIVERY"] > outage.checkpoint
    assert "PLAIN is ***" in job.stdout, "a later step masks it, too"
    assert "ghp_plainVariable" not in job.stdout


def test_a_wrong_token_fails_the_job_with_advice(outage: Outage, checkout: Checkout) -> None:
    checkout = replace(checkout, secrets={"REDELIVER_TOKEN": "ghp_wr0ngT0ken"})
    job = run_quick_start(outage, checkout, hostname=f"{outage.github.url}/api/v3")

    assert job.returncode != 0
    assert "::error::cannot read variable LAST_REDELIVERY of acme/ops" in job.stdout
    assert "mistyped, expired or revoked" in job.stdout
    assert "ghp_wr0ngT0ken" not in job.stdout
    assert outage.arrived() == []
    assert outage.variables["LAST_REDELIVERY"] == outage.checkpoint


@pytest.mark.parametrize(("signal", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_container_saves_the_checkpoint_in_time(
    outage: Outage, image: str, tmp_path: Path, signal: str, status: int
) -> None:
    # The first process of a container ignores every signal for which it has no handler.
    name = f"redeliver-e2e-{signal.lower()}"
    kill = ["docker", "kill", "--signal", signal, name]
    stop = Meanwhile(lambda: subprocess.run(kill, check=True, capture_output=True))
    # Stop it during the request for the second event, even if that request is the first.
    second = next(row["id"] for row in outage.hook.log if row["guid"] == outage.missed[1])
    for fault in (stop, Delay(30.0)):
        outage.github.inject(fault, method="POST", path=f".*/{second}/attempts")
    (tmp_path / "summary").touch()
    environment = {
        "INPUT_TOKEN": TOKEN,
        "INPUT_ORG": "acme",
        "INPUT_HOOK-ID": str(outage.hook.id),
        "INPUT_VARIABLE-NAME": "LAST_REDELIVERY",
        "GITHUB_API_URL": outage.github.url,
        "GITHUB_REPOSITORY": "acme/ops",
        "GITHUB_STEP_SUMMARY": "/github/summary",
    }
    variables = [argument for pair in environment.items() for argument in ("-e", "=".join(pair))]
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
    assert f"::error::stopped by {signal}. A later run" in run.stdout
    # The log shows the success of the first event, so the checkpoint is at the second one.
    *_, unanswered = (row for row in outage.hook.log if row["guid"] == outage.missed[1])
    failed_at = datetime.fromisoformat(unanswered["delivered_at"])
    saved = parse_checkpoint(outage.variables["LAST_REDELIVERY"], now=datetime.now(UTC))
    assert saved
    assert saved.checkpoint.time == failed_at.replace(microsecond=0)
    assert isinstance(saved.checkpoint.mark, Ended)
    assert saved.checkpoint.mark.unknown, "GitHub may have accepted the second redelivery"
    assert f"stopped by {signal}" in (tmp_path / "summary").read_text()


def test_the_image_contains_only_the_program_and_packages(image: str) -> None:
    listing = subprocess.run(
        [
            *("docker", "run", "--rm", "--entrypoint", "find", image),
            *("/opt/redeliver/lib/python3.13/site-packages", "-maxdepth", "1"),
            *("-not", "-name", "*.dist-info"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    packages = {Path(line).name for line in listing.splitlines()} - {"site-packages"}

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
