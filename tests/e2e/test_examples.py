"""Every example works after a test has filled in names: act runs it in a Docker engine."""

import json
import re
import ssl
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from github_sandbox import App, Proxy, Receiver, Sandbox
from redeliver.core.checkpoint import format_checkpoint
from tests.e2e.api_github_com import ApiGithubCom, Route
from tests.e2e.issues import Issues
from tests.e2e.workflow_run import (
    CLIENT_ID,
    ROOT,
    TOKEN,
    Checkout,
    act,
    an_outage,
    arrived,
    filled_in,
    permissions_of,
)

FillIn: TypeAlias = Callable[[Mapping[str, str]], str]


@pytest.fixture
def example(request: pytest.FixtureRequest, checkout: Checkout) -> Iterator[FillIn]:
    """Return a function that fills names into the test's example. The test has to run that."""
    workflows: list[str] = []

    def fill_in(names: Mapping[str, str]) -> str:
        workflows.append(filled_in(request.param, names))
        return workflows[-1]

    yield fill_in

    assert checkout.has_run(*workflows), f"the test has not run {request.param}"


def runs(name: str) -> pytest.MarkDecorator:
    """Give a test this file as its `example`."""
    return pytest.mark.parametrize("example", [name], indirect=True)


def test_every_example_is_run_by_a_test() -> None:
    """The fixture `example` fails unless the test has run it."""
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", [])]
    examples = {mark.args[1][0] for mark in marks if mark.args[0] == "example"}

    assert examples == {file.name for file in (ROOT / "examples").glob("*.yml")}


@runs("organization.yml")
def test_the_organization_example_recovers_events(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = example({"my-org": "acme", "123456789": str(hook.id)})

    job = checkout.run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables


@runs("repository.yml")
def test_the_repository_example_recovers_events(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    hook = github.repository("acme/ops").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = example({"123456789": str(hook.id)})

    job = checkout.run(workflow, github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)


@runs("several-hooks.yml")
def test_the_several_hooks_example_recovers_events_of_each(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    acme, site = github.org("acme"), github.repository("acme/site")
    hooks = [acme.hook(receiver.url), acme.hook(receiver.url), site.hook(receiver.url)]
    missed = an_outage(receiver, *hooks)
    names = {"my-org/my-repository": "acme/site", "my-org": "acme"}
    names |= {"123456789": str(hooks[0].id), "123456790": str(hooks[1].id)}

    job = checkout.run(example(names), github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    variables = github.repository("acme/ops").variables
    assert variables.keys() == {"LAST_REDELIVERY_ORG", "LAST_REDELIVERY_REPOSITORY"}


@pytest.mark.parametrize("event", ["schedule", "repository_dispatch", "workflow_dispatch"])
@runs("when-deployed.yml")
def test_the_when_deployed_example_recovers_events(
    example: FillIn,
    checkout: Checkout,
    github: Sandbox,
    receiver: Receiver,
    tmp_path: Path,
    event: str,
) -> None:
    """It does so on schedule, and after each of the two ways to say that a deployment has ended."""
    hook = github.org("acme").hook(receiver.url)
    missed = an_outage(receiver, hook)
    workflow = example({"org: my-org": "org: acme", "123456789": str(hook.id)})
    payload = tmp_path / "event.json"
    payload.write_text(json.dumps({"action": "receiver-deployed"}))

    job = checkout.run(workflow, github, "--eventpath", str(payload), event=event)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables


class Dispatches:
    """The events that start workflows of my-org/ops.

    https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
    https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []
        workflows = "/repos/my-org/ops/actions/workflows"
        self.routes: dict[str, Route] = {
            f"GET {workflows}/redeliver.yml": lambda _query: (200, {"id": 1}),
            f"POST {workflows}/1/dispatches": self._create,
            "POST /repos/my-org/ops/dispatches": self._create,
        }

    def _create(self, event: dict[str, object]) -> tuple[int, object]:
        self.sent.append(event)
        return 204, {}


def test_a_deployment_starts_the_when_deployed_example(
    tmp_path: Path, machine: str, tls_of_github: ssl.SSLContext, certificate: Path
) -> None:
    """The step and the command in its comment send GitHub the two events that start it."""
    example = (ROOT / "examples" / "when-deployed.yml").read_text()
    [step] = re.findall(r"^#   - env:\n(?:#     .*\n)+", example, flags=re.MULTILINE)
    [command] = re.findall(r"^#   (gh api .*)\n", example, flags=re.MULTILINE)
    [first] = yaml.safe_load(step.replace("#", ""))
    job = {"runs-on": "ubuntu-latest", "steps": [first, {**first, "run": command}]}
    path = tmp_path / ".github" / "workflows" / "deploy.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"on": "push", "jobs": {"deploy": job}}))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    dispatches = Dispatches()

    with (
        ApiGithubCom(tls_of_github, certificate, dispatches.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        arguments = ("-s", f"START_REDELIVER={TOKEN}", *api.act_arguments(proxy.url))
        run = act(tmp_path, "push", *arguments, runner=machine)

    assert run.returncode == 0, run.stdout
    assert api.tokens == {f"token {TOKEN}"}
    by_workflow, by_repository = dispatches.sent
    assert by_workflow == {"ref": "main", "inputs": {}}
    # In YAML 1.1 the key "on" means true.
    types = yaml.safe_load(example)[True]["repository_dispatch"]["types"]
    assert by_repository == {"event_type": types[0]}


@runs("reusable-workflow.yml")
def test_the_reusable_workflow_recovers_events_with_outputs(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    workflow = example({"my-org": "acme"})
    next_job = """
  next:
    needs: redeliver
    runs-on: ubuntu-latest
    steps:
      - env:
          RECOVERED: ${{ needs.redeliver.outputs.recovered }}
        run: echo "the next job gets $RECOVERED"
"""

    job = checkout.run(workflow + next_job, github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "LAST_REDELIVERY" in github.repository("acme/ops").variables
    assert "the next job gets 2" in job.stdout


def an_app(github: Sandbox, checkout: Checkout, secret: str) -> tuple[App, Checkout]:
    app = github.app(owner="acme")
    return app, replace(checkout, secrets={secret: app.private_key})


@runs("app-installation.yml")
def test_the_app_installation_example_recovers_events(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    app, checkout = an_app(github, checkout, "REDELIVER_PRIVATE_KEY")
    app.install("acme")
    names = {"my-org": "acme", CLIENT_ID: app.client_id}

    job = checkout.run(example(names), github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert not any(token.value in job.stdout for token in app.tokens)
    assert app.private_key.split()[5] not in job.stdout


@runs("github-app.yml")
def test_the_github_app_example_recovers_events_of_its_webhook(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    app, checkout = an_app(github, checkout, "MY_APP_PRIVATE_KEY")
    missed = an_outage(receiver, app.hook(receiver.url))
    checkout = replace(checkout, secrets={**checkout.secrets, "VARIABLES_TOKEN": "ghp_variables"})
    github.token("ghp_variables", actions_variables="write")

    job = checkout.run(example({CLIENT_ID: app.client_id}), github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert "LAST_REDELIVERY_APP" in github.repository("acme/ops").variables


@runs("many-organizations.yml")
def test_the_many_organizations_example_recovers_their_events(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    app, checkout = an_app(github, checkout, "REDELIVER_PRIVATE_KEY")
    hooks = []
    for name in ("acme", "globex"):
        hooks.append(github.org(name).hook(receiver.url))
        app.install(name)
    missed = an_outage(receiver, *hooks)
    names = {"org: my-org,": "org: acme,", "my-other-org": "globex", CLIENT_ID: app.client_id}

    job = checkout.run(example(names), github)

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    variables = github.repository("acme/ops").variables
    assert variables.keys() == {"LAST_REDELIVERY_MY_ORG", "LAST_REDELIVERY_MY_OTHER_ORG"}


@runs("enterprise-server.yml")
def test_the_enterprise_server_example_trusts_its_certificate(
    example: FillIn, checkout: Checkout, receiver: Receiver, tls: ssl.SSLContext, certificate: Path
) -> None:
    (checkout.workspace / "authority.pem").write_bytes(certificate.read_bytes())
    with Sandbox(tls=tls, rate_limits=False, filters=False) as server:
        server.token(TOKEN, organization_hooks="write", actions_variables="write")
        server.repository("acme/ops")
        hook = server.org("acme").hook(receiver.url)
        missed = an_outage(receiver, hook)
        names = {"my-org": "acme", "123456789": str(hook.id)}

        job = checkout.run(example(names), server)

        assert job.returncode == 0, job.stdout
        assert arrived(server, receiver, missed) == sorted(missed)
        assert "LAST_REDELIVERY" in server.repository("acme/ops").variables


@runs("replay.yml")
def test_the_replay_example_is_a_dry_run_by_default(
    example: FillIn, checkout: Checkout, github: Sandbox, receiver: Receiver
) -> None:
    """With `dry-run` false it redelivers; it uses no checkpoint in either case."""
    missed = an_outage(receiver, github.org("acme").hook(receiver.url))
    github.token(TOKEN, organization_hooks="write")
    workflow = example({"my-org": "acme"})
    inputs = ("--input", "events=issues", "--input", "since=2d", "--input", "until=1m")

    dry_run = checkout.run(workflow, github, *inputs, event="workflow_dispatch")

    assert dry_run.returncode == 0, dry_run.stdout
    assert f"Would be redelivered: issues.opened {missed[0]}" in dry_run.stdout
    assert missed[1] not in dry_run.stdout
    assert arrived(github, receiver, missed) == []
    assert {request.method for request in github.requests} == {"GET"}

    real = ("--input", "dry-run=false")
    job = checkout.run(workflow, github, *inputs, *real, event="workflow_dispatch")

    assert job.returncode == 0, job.stdout
    assert arrived(github, receiver, missed) == [missed[0]]
    assert github.repository("acme/ops").variables == {}


@runs("without-docker.yml")
def test_the_example_without_docker_verifies_its_cached_packages(
    example: FillIn,
    checkout: Checkout,
    github: Sandbox,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It downloads the packages in its first run, and again after one of them was changed."""
    hook = github.org("acme").hook(receiver.url)
    workflow = example({"my-org": "acme", "123456789": str(hook.id)})
    cache = tmp_path_factory.mktemp("cache")
    # pip starts another Python, which would import this if it searched the workspace.
    (checkout.workspace / "sitecustomize.py").write_text("raise SystemExit('imported')")
    variables = ("RUNNER_TOOL_CACHE=/cache", "PYTHONPATH=.", "PIP_USER=1")
    arguments = [argument for variable in variables for argument in ("--env", variable)]
    arguments += ["--container-options", f"-v {cache}:/cache"]

    missed = an_outage(receiver, hook)
    first = checkout.run(workflow, github, *arguments)
    assert first.returncode == 0, first.stdout
    assert "Downloading the packages" in first.stdout
    assert arrived(github, receiver, missed) == sorted(missed)
    assert TOKEN not in first.stdout

    second = checkout.run(workflow, github, *arguments)
    assert second.returncode == 0, second.stdout
    assert "Downloading the packages" not in second.stdout

    [requests] = cache.glob("redeliver/wheels/*/requests-*.whl")
    with zipfile.ZipFile(requests, "a") as wheel:
        wheel.writestr("requests/planted.py", "raise SystemExit('planted')")
    third = checkout.run(workflow, github, *arguments)
    assert third.returncode == 0, third.stdout
    assert "Downloading the packages" in third.stdout


@runs("open-an-issue.yml")
def test_the_issue_example_keeps_one_issue_until_all_is_well(
    example: FillIn,
    checkout: Checkout,
    github: Sandbox,
    receiver: Receiver,
    machine: str,
    tls_of_github: ssl.SSLContext,
    certificate: Path,
) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(
        datetime.now(UTC) - timedelta(hours=6)
    )
    hook = github.org("acme").hook(receiver.url)
    an_outage(receiver, hook)
    workflow = example({"my-org": "acme", "123456789": str(hook.id)})
    issues = Issues(permissions_of(workflow))
    with (
        ApiGithubCom(tls_of_github, certificate, issues.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        arguments = ["-s", "GITHUB_TOKEN=ghs_0fTheJ0b", *api.act_arguments(proxy.url)]

        receiver.stop()
        guids = [hook.emit("issues", "closed") for _ in range(5)]
        for _ in range(2):
            failing = checkout.run(workflow, github, *arguments, runner=machine)
            assert failing.returncode == 1, failing.stdout
        [issue] = issues.kept
        assert issue.title == "redeliver needs attention"
        # In the second run the event may wait, because it keeps failing.
        line = (
            rf"^\* `issues.closed` `{guids[0]}`: (still failing|deferred), \[webhook {hook.id} of"
        )
        assert re.search(line, issue.body, flags=re.MULTILINE)
        assert "(https://github.com/acme/ops/actions/runs/" in issue.body
        assert "settings/hooks/" in issue.body
        assert ") is **down**." in issue.body
        assert issue.comments == []

        wrong_token = replace(checkout, secrets={"REDELIVER_TOKEN": "ghp_wr0ngT0ken"})
        assert wrong_token.run(workflow, github, *arguments, runner=machine).returncode == 1
        [comment] = issue.comments
        assert comment.startswith("The run failed before it had a report: see its log.")

        # A run that no schedule has started tries every event at once.
        receiver.start()
        by_hand = {"event": "workflow_dispatch", "runner": machine}
        healthy = checkout.run(workflow, github, *arguments, **by_hand)
        assert healthy.returncode == 0, healthy.stdout
        assert issues.kept == [issue]
        assert issue.state == "closed"
        assert issue.comments[-1].startswith("All is well again.")
        assert api.tokens == {"token ghs_0fTheJ0b"}


class Slack:
    """An incoming webhook of Slack, and the ends of earlier runs, which GitHub lists.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
    """

    def __init__(self, permissions: Mapping[str, str]) -> None:
        assert permissions == {"actions": "read"}
        self.texts: list[str] = []
        self.conclusions = ["success"]
        """Of the runs that are over, the newest first."""
        self.routes: dict[str, Route] = {
            "POST /services/T0/B0/s3cretPart": self._post,
            "GET /repos/acme/ops/actions/workflows/redeliver.yml/runs": self._list_runs,
        }

    def _post(self, message: dict[str, str]) -> tuple[int, object]:
        assert message.keys() == {"text"}
        self.texts.append(message["text"])
        return 200, "ok"

    def _list_runs(self, query: dict[str, str]) -> tuple[int, object]:
        assert query["status"] == "completed"
        runs = [{"conclusion": conclusion} for conclusion in self.conclusions]
        return 200, {"total_count": len(runs), "workflow_runs": runs}


def slack_arguments(workflow: str) -> list[str]:
    """Return the arguments with which act runs the example for Slack, with our stand-in."""
    [action] = set(re.findall(r"slackapi/slack-github-action@[0-9a-f]{40}", workflow))
    path = "acme/ops/.github/workflows/redeliver.yml@refs/heads/main"
    return [
        *("-s", "GITHUB_TOKEN=ghs_0fTheJ0b"),
        *("-s", "SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T0/B0/s3cretPart"),
        *("--local-repository", f"{action}={ROOT / 'tests' / 'e2e' / 'slack'}"),
        *("--env", f"GITHUB_WORKFLOW_REF={path}"),
    ]


@runs("slack.yml")
def test_the_slack_example_posts_trouble_and_its_end(
    example: FillIn,
    checkout: Checkout,
    github: Sandbox,
    receiver: Receiver,
    machine: str,
    tls_of_github: ssl.SSLContext,
    certificate: Path,
) -> None:
    github.repository("acme/ops").variables["LAST_REDELIVERY"] = format_checkpoint(
        datetime.now(UTC) - timedelta(hours=6)
    )
    hook = github.org("acme").hook(receiver.url)
    an_outage(receiver, hook)
    workflow = example({"my-org": "acme", "123456789": str(hook.id)})
    slack = Slack(permissions_of(workflow))
    with (
        ApiGithubCom(tls_of_github, certificate, slack.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        arguments = [*slack_arguments(workflow), *api.act_arguments(proxy.url)]

        receiver.stop()
        hook.emit("issues", "closed")
        failing = checkout.run(workflow, github, *arguments, runner=machine)
        assert failing.returncode == 1, failing.stdout
        [trouble] = slack.texts
        assert trouble.startswith("*redeliver needs attention.* Health: ")
        assert "Events still failing: 3. Given up: 0." in trouble
        assert re.search(r"<https://github.com/acme/ops/actions/runs/\d+\|The run>$", trouble)

        # A run that no schedule has started tries every event at once.
        receiver.start()
        by_hand = {"event": "workflow_dispatch", "runner": machine}
        slack.conclusions = ["cancelled", "failure", "success"]
        healthy = checkout.run(workflow, github, *arguments, **by_hand)
        assert healthy.returncode == 0, healthy.stdout
        assert slack.texts[1:] == [
            trouble.replace(trouble.partition(" <")[0], "*redeliver: the trouble is over.*")
        ]

        slack.conclusions = ["success", "cancelled", "failure"]
        healthy = checkout.run(workflow, github, *arguments, **by_hand)
        assert healthy.returncode == 0, healthy.stdout
        assert len(slack.texts) == 2
        assert "s3cretPart" not in failing.stdout


@runs("slack.yml")
def test_the_slack_example_posts_that_a_webhook_is_down(
    example: FillIn,
    checkout: Checkout,
    github: Sandbox,
    machine: str,
    tls_of_github: ssl.SSLContext,
    certificate: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It does so although no event has failed again, and then it fails, too."""
    workflow = example({})
    slack = Slack(permissions_of(workflow))
    step = {"id": "all", "shell": "bash", "run": "echo health=down >> $GITHUB_OUTPUT"}
    outputs = {"health": {"value": "${{ steps.all.outputs.health }}"}}
    action = tmp_path_factory.mktemp("redeliver")
    definition = {"outputs": outputs, "runs": {"using": "composite", "steps": [step]}}
    (action / "action.yml").write_text(yaml.safe_dump(definition))
    with (
        ApiGithubCom(tls_of_github, certificate, slack.routes) as api,
        Proxy(leads=api.leads) as proxy,
    ):
        arguments = [*slack_arguments(workflow), *api.act_arguments(proxy.url)]
        job = replace(checkout, action=action).run(workflow, github, *arguments, runner=machine)

    assert job.returncode == 1, job.stdout
    [text] = slack.texts
    assert text.startswith("*redeliver needs attention.* Health: down. Events still failing: un")
