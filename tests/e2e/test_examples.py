"""Each example as it stands, its names filled in: run by act, in a Docker engine."""

import ssl
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from github_sandbox import App, Proxy, Receiver, Sandbox
from redeliver.core.checkpoint import format_checkpoint
from tests.e2e.api_github_com import ApiGithubCom
from tests.e2e.stage import ROOT, TOKEN, Stage, ago, an_outage, arrived, filled_in


def test_every_example_is_run_here() -> None:
    tests = Path(__file__).read_text()

    for example in (ROOT / "examples").glob("*.yml"):
        assert f'"{example.name}"' in tests


def test_an_organization_webhook(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = filled_in("organization.yml", {"my-org": "acme", "123456789": str(hook.id)})

    job = stage.run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables


def test_a_repository_webhook(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    hook = github.repository("acme/ops").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = filled_in("repository.yml", {"123456789": str(hook.id)})

    job = stage.run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)


def test_several_webhooks(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    acme, site = github.org("acme"), github.repository("acme/site")
    hooks = [acme.hook(receiver.url), acme.hook(receiver.url), site.hook(receiver.url)]
    missed = an_outage(receiver, *hooks)
    names = {"my-org/my-repository": "acme/site", "my-org": "acme"}
    names |= {"123456789": str(hooks[0].id), "123456790": str(hooks[1].id)}

    job = stage.run(filled_in("several-hooks.yml", names), github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    variables = github.repository("acme/ops").variables
    assert variables.keys() == {"LAST_REDELIVERY_ORG", "LAST_REDELIVERY_REPOSITORY"}


def test_the_reusable_workflow(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    workflow = filled_in("reusable-workflow.yml", {"my-org": "acme"})
    follower = """
  follower:
    needs: redeliver
    runs-on: ubuntu-latest
    steps:
      - env:
          RECOVERED: ${{ needs.redeliver.outputs.recovered }}
        run: echo "the next job hears of $RECOVERED"
"""

    job = stage.run(workflow + follower, github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables
    assert "the next job hears of 2" in job.stdout


def an_app(github: Sandbox, stage: Stage, secret: str) -> tuple[App, Stage]:
    app = github.app(owner="acme")
    return app, replace(stage, secrets={secret: app.private_key})


def test_an_installation_of_a_github_app(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    app, stage = an_app(github, stage, "REDELIVER_PRIVATE_KEY")
    app.install("acme")
    names = {"my-org": "acme", "123456": str(app.id)}

    job = stage.run(filled_in("app-installation.yml", names), github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert not any(token.value in job.stdout for token in app.tokens)
    assert app.private_key.split()[5] not in job.stdout


def test_the_webhook_of_a_github_app(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    app, stage = an_app(github, stage, "MY_APP_PRIVATE_KEY")
    missed = an_outage(receiver, app.hook(receiver.url))
    stage = replace(stage, secrets={**stage.secrets, "VARIABLES_TOKEN": "ghp_variables"})
    github.token("ghp_variables", actions_variables="write")

    job = stage.run(filled_in("github-app.yml", {"123456": str(app.id)}), github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert "LAST_REDELIVERY_APP" in github.repository("acme/ops").variables


def test_many_organizations(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    app, stage = an_app(github, stage, "REDELIVER_PRIVATE_KEY")
    hooks = []
    for name in ("acme", "globex"):
        hooks.append(github.org(name).hook(receiver.url))
        app.install(name)
    missed = an_outage(receiver, *hooks)
    names = {"org: my-org,": "org: acme,", "my-other-org": "globex", "123456": str(app.id)}

    job = stage.run(filled_in("many-organizations.yml", names), github)

    assert job.returncode == 0, job.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    variables = github.repository("acme/ops").variables
    assert variables.keys() == {"LAST_REDELIVERY_MY_ORG", "LAST_REDELIVERY_MY_OTHER_ORG"}


def test_an_enterprise_server_with_a_certificate_of_its_own(
    stage: Stage, receiver: Receiver, tls: ssl.SSLContext, certificate: Path
) -> None:
    (stage.workspace / "authority.pem").write_bytes(certificate.read_bytes())
    with Sandbox(tls=tls, rate_limits=False, filters=False) as server:
        server.token(TOKEN, organization_hooks="write", actions_variables="write")
        server.repository("acme/ops")
        hook = server.org("acme").hook(receiver.url)
        missed = an_outage(receiver, hook)
        names = {"my-org": "acme", "123456789": str(hook.id)}

        job = stage.run(filled_in("enterprise-server.yml", names), server)

        assert job.returncode == 0, job.stdout
        assert sorted(arrived(server, receiver, missed)) == sorted(missed)
        assert "LAST_REDELIVERY" in server.repository("acme/ops").variables


def test_a_dry_run_on_demand(stage: Stage, github: Sandbox, receiver: Receiver) -> None:
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    workflow = filled_in("dry-run.yml", {"my-org": "acme"})
    asked = ("--input", "events=issues", "--input", "lookback=2d")

    job = stage.run(workflow, github, *asked, event="workflow_dispatch")

    assert job.returncode == 0, job.stdout
    assert f"Would be redelivered: issues.opened {missed[0]}" in job.stdout
    assert missed[1] not in job.stdout
    assert arrived(github, receiver, missed) == []
    assert github.repository("acme/ops").variables == {}
    assert {request.method for request in github.requests} == {"GET"}


def test_a_runner_without_docker_fetches_its_packages_once_and_trusts_no_copy(
    stage: Stage, github: Sandbox, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hook = github.org("acme").hook(receiver.url)
    workflow = filled_in("without-docker.yml", {"my-org": "acme", "123456789": str(hook.id)})
    kept = tmp_path_factory.mktemp("kept")
    # pip starts a Python of its own, which would look into the workspace and run this first.
    (stage.workspace / "sitecustomize.py").write_text("raise SystemExit('imported')")
    variables = ("RUNNER_TOOL_CACHE=/kept", "PYTHONPATH=.", "PIP_USER=1")
    options = [word for each in variables for word in ("--env", each)]
    options += ["--container-options", f"-v {kept}:/kept"]

    missed = an_outage(receiver, hook)
    first = stage.run(workflow, github, *options)
    assert first.returncode == 0, first.stdout
    assert "Downloading the packages" in first.stdout
    assert sorted(arrived(github, receiver, missed)) == sorted(missed)
    assert TOKEN not in first.stdout

    second = stage.run(workflow, github, *options)
    assert second.returncode == 0, second.stdout
    assert "Downloading the packages" not in second.stdout

    [requests] = kept.glob("redeliver/wheels/requests-*.whl")
    with zipfile.ZipFile(requests, "a") as wheel:
        wheel.writestr("requests/planted.py", "raise SystemExit('planted')")
    third = stage.run(workflow, github, *options)
    assert third.returncode == 0, third.stdout
    assert "Downloading the packages" in third.stdout


def test_an_issue_is_opened_once_while_deliveries_stay_failing(
    stage: Stage,
    github: Sandbox,
    receiver: Receiver,
    machine: str,
    tls_of_github: ssl.SSLContext,
    certificate: Path,
) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(ago(6))
    hook = github.org("acme").hook(receiver.url)
    an_outage(receiver, hook)
    workflow = filled_in("open-an-issue.yml", {"my-org": "acme", "123456789": str(hook.id)})
    opened: list[dict[str, str]] = []

    def listed(query: dict[str, str]) -> tuple[int, object]:
        assert (query["state"], query["creator"]) == ("open", "github-actions[bot]")
        return 200, opened

    def create(issue: dict[str, str]) -> tuple[int, object]:
        opened.append(issue)
        return 201, issue

    # https://docs.github.com/en/rest/issues/issues
    routes = {"GET /repos/acme/ops/issues": listed, "POST /repos/acme/ops/issues": create}
    with (
        ApiGithubCom(tls_of_github, certificate, routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        through = ["-s", "GITHUB_TOKEN=ghs_0fTheJ0b", *api.through(proxy.url)]

        healthy = stage.run(workflow, github, *through, runner=machine)
        assert healthy.returncode == 0, healthy.stdout
        assert opened == []

        receiver.stop()
        hook.emit("issues", "closed")
        for _ in range(2):
            job = stage.run(workflow, github, *through, runner=machine)
            assert job.returncode == 1, job.stdout
        [issue] = opened
        assert issue["title"] == "Webhook deliveries stay failing"
        assert issue["body"].startswith(
            "The step ended with failure. Events that failed again: 1. Given up: 0. "
            "See https://github.com/acme/ops/actions/runs/"
        )

        opened.clear()
        broken = replace(stage, secrets={"REDELIVER_TOKEN": "ghp_wr0ngT0ken"})
        assert broken.run(workflow, github, *through, runner=machine).returncode == 1
        [issue] = opened
        assert issue["body"].startswith(
            "The step ended with failure. Events that failed again: unk"
        )
        assert api.tokens == {"token ghs_0fTheJ0b"}
