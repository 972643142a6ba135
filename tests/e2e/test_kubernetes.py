"""The manifests for Kubernetes work: Docker runs their container with the same settings.

No test needs a cluster. `tests/repository/test_kubernetes.py` compares the manifests with the
schemas of Kubernetes.
"""

import re
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from github_sandbox import Hook, Receiver, Sandbox
from tests.e2e.workflow_run import CLIENT_ID, ROOT, TOKEN, an_outage, arrived, filled_in


def docker(*arguments: str, status: int = 0) -> str:
    """Run Docker, check its exit status and return what it printed."""
    process = subprocess.run(
        ["docker", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert process.returncode == status, process.stdout
    return process.stdout


def pod_of(manifest: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the pod of an example, with a test's names in place of its own."""
    spec = yaml.safe_load(filled_in(f"kubernetes/{manifest}", names))["spec"]
    spec = spec.get("jobTemplate", {"spec": spec})["spec"]
    pod: dict[str, Any] = spec["template"]["spec"]
    return pod


def with_token(pod: dict[str, Any]) -> dict[str, Any]:
    """Return a pod that has a token instead of a GitHub App, as docs/kubernetes.md describes it."""
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    [env] = re.findall(r"^```yaml\n( *env:\n(?:.*\n)+?)```", page, flags=re.MULTILINE)
    [container] = pod["containers"]
    others = [
        each for each in container["args"] if not each.startswith(("--client-id", "--private"))
    ]
    changed = {**container, "args": others, "volumeMounts": [], **yaml.safe_load(env)}
    return {**pod, "containers": [changed], "volumes": []}


def options_of(pod: Mapping[str, Any]) -> list[str]:
    """Return the options with which Docker restricts a container as its pod does."""
    context, [container] = pod["securityContext"], pod["containers"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}  # this is Docker's default
    restrictions = container["securityContext"]
    assert restrictions["readOnlyRootFilesystem"]
    assert not restrictions["allowPrivilegeEscalation"]
    memory = container["resources"]["limits"]["memory"].replace("Mi", "m")
    return [
        *("--user", f"{context['runAsUser']}:{context['runAsGroup']}"),
        *("--group-add", str(context["fsGroup"])),
        *(f"--cap-drop={name}" for name in restrictions["capabilities"]["drop"]),
        *("--read-only", "--security-opt", "no-new-privileges"),
        *("--memory", memory, "--memory-swap", memory),
    ]


def secret_options(
    pod: Mapping[str, Any], secret: Mapping[str, str], image: str, folder: Path
) -> list[str]:
    """Return the options that give a container its Secret, as a volume and in variables."""
    [container], options = pod["containers"], []
    for variable in container.get("env", []):
        key = variable["valueFrom"]["secretKeyRef"]["key"]
        options += ["--env", f"{variable['name']}={secret[key]}"]
    volumes = {volume["name"]: volume["secret"] for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        folder.mkdir()
        for key, value in secret.items():
            (folder / key).write_text(value)
        # Only root can give a file to another group, and the tests may run as another user.
        mode, group = volumes[mount["name"]]["defaultMode"], pod["securityContext"]["fsGroup"]
        own = f"chown root:{group} /secret/* && chmod {mode:o} /secret/*"
        volume = ("--volume", f"{folder}:/secret")
        docker("run", "--rm", "--user", "root", *volume, "--entrypoint", "sh", image, "-c", own)
        options += ["--volume", f"{folder}:{mount['mountPath']}:ro"]
    return options


Start: TypeAlias = Callable[..., str]


@pytest.fixture
def start(command_image: str, github: Sandbox, tmp_path: Path) -> Start:
    """Return a function that runs a pod's container with a Secret, and returns its output."""

    def run(pod: Mapping[str, Any], secret: Mapping[str, str], *options: str) -> str:
        arguments = pod["containers"][0]["args"]
        return docker(
            *("run", "--network", "host", "--env", f"GH_HOST={github.url}", *options),
            *options_of(pod),
            *secret_options(pod, secret, command_image, tmp_path / "secret"),
            *(command_image, *arguments),
        )

    return run


def names_for(hook: Hook, client_id: str = CLIENT_ID) -> dict[str, str]:
    """Return the names that a test fills in."""
    ids = {"=123456789": f"={hook.id}", CLIENT_ID: client_id}
    return {"my-org/ops": "acme/ops", "my-org": "acme", **ids}


def test_the_cron_job_recovers_events_with_a_github_app(
    github: Sandbox, receiver: Receiver, hook: Hook, start: Start
) -> None:
    missed = an_outage(receiver, hook)
    app = github.app(owner="acme")
    app.install("acme")
    pod = pod_of("cronjob.yml", names_for(hook, app.client_id))

    output = start(pod, {"private-key.pem": app.private_key}, "--rm")

    assert arrived(github, receiver, missed) == sorted(missed)
    assert "2 events failed: 2 recovered" in output
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables


def test_the_cron_job_recovers_events_with_a_token(
    github: Sandbox, receiver: Receiver, hook: Hook, start: Start
) -> None:
    missed = an_outage(receiver, hook)
    pod = with_token(pod_of("cronjob.yml", names_for(hook)))

    output = start(pod, {"token": TOKEN}, "--rm")

    assert arrived(github, receiver, missed) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables
    assert TOKEN not in output


def test_the_command_image_prints_its_help_without_arguments(command_image: str) -> None:
    """Without the Dockerfile's CMD, it would start the action."""
    assert docker("run", "--rm", command_image).startswith("Usage: redeliver [OPTIONS]")


def test_the_command_image_has_only_the_program_and_packages(command_image: str) -> None:
    list_files = (
        "cd /opt/redeliver/lib/python3.13/site-packages; ls; ls -A /tmp; find / -xdev -user"
    )
    listing = docker(
        *("run", "--rm", "--user", "root", "--entrypoint", "sh", command_image),
        *("-c", f"{list_files} 65532 -not -path '/proc/*'"),
    )
    names = {line for line in listing.splitlines() if not line.endswith(".dist-info")}

    assert {"redeliver", "github", "click", "rich"} <= names
    assert not names & {"tests", "github_sandbox", "pip", "setuptools", "command.txt"}
    assert not [name for name in names if name.startswith("/")], "the user owns no file"


def test_the_deployment_recovers_events_until_it_is_stopped(
    github: Sandbox, receiver: Receiver, hook: Hook, start: Start
) -> None:
    """Its container ends within three seconds, with the status that SIGTERM leads to."""
    missed = an_outage(receiver, hook)
    app = github.app(owner="acme")
    app.install("acme")
    pod = pod_of("deployment.yml", names_for(hook, app.client_id) | {"--every=1m": "--every=4s"})

    container = start(pod, {"private-key.pem": app.private_key}, "--detach").strip()
    try:
        wait_until(lambda: arrived(github, receiver, missed) == sorted(missed))
        missed.append(str(uuid.uuid4()))
        hook.record(guid=missed[-1], status="Service Unavailable", status_code=503)
        wait_until(lambda: arrived(github, receiver, missed) == sorted(missed))
        begin = time.monotonic()
        docker("stop", container)
        took = time.monotonic() - begin
        status = docker("inspect", "--format", "{{.State.ExitCode}}", container)
    finally:
        docker("rm", "--force", container)

    assert took < 3.0
    assert status.strip() == "143"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that a container does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
