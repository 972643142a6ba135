"""The manifests for Kubernetes are valid, and agree with each other, the image and the page."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from redeliver.cli import flags
from redeliver.cli.environment import parse_settings, resolve

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "kubernetes"
MANIFESTS = sorted(EXAMPLES.glob("*.yml"))
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
OLDEST, NEWEST = "1.25", kubernetes_validate.latest_version()
"""The versions of Kubernetes whose schemas the package has."""

every_manifest = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)


def spec_of(manifest: Path) -> dict[str, Any]:
    """Return the part of a manifest that has the template of its pod."""
    spec: dict[str, Any] = yaml.safe_load(manifest.read_text())["spec"]
    return spec


def pod_of(manifest: Path) -> dict[str, Any]:
    spec = spec_of(manifest)
    pod: dict[str, Any] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
    return pod


def container_of(manifest: Path) -> dict[str, Any]:
    [container] = pod_of(manifest)["containers"]
    assert isinstance(container, dict)
    return container


def key_file_of(container: dict[str, Any]) -> str:
    [flag] = [each for each in container["args"] if each.startswith("--private-key-file=")]
    return str(flag.partition("=")[2])


@every_manifest
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_a_manifest_follows_the_schema_of_kubernetes(manifest: Path, version: str) -> None:
    content = yaml.safe_load(manifest.read_text())

    kubernetes_validate.validate(content, version, strict=True)


@every_manifest
def test_the_command_accepts_the_arguments_of_a_manifest(manifest: Path, tmp_path: Path) -> None:
    container = container_of(manifest)
    key = tmp_path / "private-key.pem"
    key.write_text("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")
    arguments = [each.replace(key_file_of(container), str(key)) for each in container["args"]]

    parsed = flags.parse(arguments)

    assert parsed is not None
    assert parse_settings(resolve(parsed.values, {})).variable_repository == "my-org/ops"


def test_the_manifests_run_the_same_container() -> None:
    """The Deployment has one more flag, so that it runs again and again."""
    cron_job, deployment = (pod_of(EXAMPLES / name) for name in ("cronjob.yml", "deployment.yml"))
    every, *arguments = deployment["containers"][0].pop("args")

    assert every.startswith("--every=")
    assert cron_job["containers"][0].pop("args") == arguments
    for pod, name in ((cron_job, "restartPolicy"), (deployment, "terminationGracePeriodSeconds")):
        del pod[name]
    assert cron_job == deployment


@every_manifest
def test_a_manifest_is_as_restricted_as_kubernetes_can_demand(manifest: Path) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted."""
    pod, container = pod_of(manifest), container_of(manifest)

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [volume.keys() for volume in pod["volumes"]] == [{"name", "secret"}]
    assert not pod["automountServiceAccountToken"]


@every_manifest
def test_kubernetes_adds_no_variable_that_the_command_refuses(manifest: Path) -> None:
    """With links to a Service named `redeliver` it would add REDELIVER_PORT and others."""
    assert not pod_of(manifest)["enableServiceLinks"]


@every_manifest
def test_a_manifest_has_the_user_of_the_image(manifest: Path) -> None:
    context = pod_of(manifest)["securityContext"]
    user = f"USER {context['runAsUser']}:{context['runAsGroup']}"

    assert user in (EXAMPLES / "Dockerfile").read_text().splitlines()


@every_manifest
def test_the_page_builds_and_pushes_the_image_of_a_manifest(manifest: Path) -> None:
    image = container_of(manifest)["image"]

    assert f"docker build -f examples/kubernetes/Dockerfile -t {image} .\n" in PAGE
    assert f"docker push {image}\n" in PAGE


@every_manifest
def test_the_page_creates_the_secret_of_a_manifest(manifest: Path) -> None:
    container, [volume] = container_of(manifest), pod_of(manifest)["volumes"]
    [mount] = container["volumeMounts"]
    path = Path(key_file_of(container))

    assert mount["name"] == volume["name"]
    assert mount["mountPath"] == str(path.parent)
    secret = volume["secret"]["secretName"]
    assert f"kubectl create secret generic {secret} --from-file={path.name}\n" in PAGE


def test_the_variable_on_the_page_has_the_token_of_the_secret() -> None:
    [block] = re.findall(r"^```yaml\n(env:\n(?:.*\n)+?)```", PAGE, flags=re.MULTILINE)
    [variable] = yaml.safe_load(block)["env"]
    token = variable["valueFrom"]["secretKeyRef"]

    assert variable["name"] == "REDELIVER_TOKEN"
    assert f"kubectl create secret generic {token['name']} --from-file={token['key']}=" in PAGE


def test_a_manifest_keeps_two_runs_apart() -> None:
    cron_job, deployment = (spec_of(EXAMPLES / name) for name in ("cronjob.yml", "deployment.yml"))

    assert cron_job["concurrencyPolicy"] == "Forbid"
    assert deployment["strategy"] == {"type": "Recreate"}
    assert deployment["replicas"] == 1
