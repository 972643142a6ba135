"""PyGithub works with the sandbox as its documentation says.

The client is lazy, because the sandbox has no endpoints for organizations and repositories.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from github import Auth, Github, GithubException, GithubIntegration
from github.Organization import Organization
from github.Repository import Repository

from github_sandbox import Hook, Receiver, Sandbox
from tests.sandbox.client import TOKEN


def a_client(github: Sandbox, token: str = TOKEN) -> Github:
    """Return a client without PyGithub's pauses of a quarter of a second, and of a second."""
    return Github(
        auth=Auth.Token(token),
        base_url=github.url,
        lazy=True,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


@pytest.fixture
def pygithub(github: Sandbox) -> Iterator[Github]:
    github.repository("acme/ops")
    with a_client(github) as client:
        yield client


@pytest.fixture(params=["organization", "repository"])
def owned(request: pytest.FixtureRequest, github: Sandbox, receiver: Receiver) -> Hook:
    """Return a webhook of each kind of owner."""
    owner = github.org("acme") if request.param == "organization" else github.repository("acme/ops")
    return owner.hook(receiver.url, secret="hush")


def owner_of(hook: Hook, pygithub: Github) -> Organization | Repository:
    if "/orgs/" in hook.path:
        return pygithub.get_organization(hook.owner)
    return pygithub.get_repo(hook.owner)


def test_pygithub_reads_a_log_in_pages_and_one_delivery(pygithub: Github, owned: Hook) -> None:
    ids = [owned.record(event="issues", action="opened") for _ in range(250)][::-1]
    owner = owner_of(owned, pygithub)

    log = list(owner.get_hook_deliveries(owned.id))
    one = owner.get_hook_delivery(owned.id, ids[0])

    assert [row.id for row in log] == ids
    assert {(row.event, row.action, row.status, row.status_code) for row in log} == {
        ("issues", "opened", "OK", 200)
    }
    assert {(row.redelivery, row.duration) for row in log} == {(False, 0.25)}
    assert (one.id, one.guid, one.delivered_at) == (ids[0], log[0].guid, log[0].delivered_at)
    assert one.request
    assert one.response


def test_pygithub_finds_webhooks(pygithub: Github, owned: Hook) -> None:
    owner = owner_of(owned, pygithub)

    [hook] = owner.get_hooks()

    assert (hook.id, hook.active, hook.events) == (owned.id, True, ["*"])
    assert hook.config["content_type"] == "json"
    assert owner.get_hook(owned.id).id == owned.id


def test_pygithub_can_request_a_redelivery(
    github: Sandbox, pygithub: Github, receiver: Receiver, owned: Hook
) -> None:
    receiver.behave(status=503)
    missed = owned.emit("push")
    receiver.behave()

    # PyGithub has no method for it.
    path = f"{owned.path}/deliveries/{owned.log[0]['id']}/attempts"
    _, body = pygithub.requester.requestJsonAndCheck("POST", path)

    github.settle()
    assert body == {}
    assert [(received.guid, received.status) for received in receiver.received()] == [
        (missed, 503),
        (missed, 200),
    ]


def test_pygithub_creates_reads_updates_and_lists_variables(
    github: Sandbox, pygithub: Github
) -> None:
    repository = pygithub.get_repo("acme/ops")

    with pytest.raises(GithubException, match="404"):
        _ = repository.get_variable("CHECKPOINT").value
    created = repository.create_variable("CHECKPOINT", "1")
    assert created.edit("2")

    read = repository.get_variable("CHECKPOINT")
    assert (read.name, read.value) == ("CHECKPOINT", "2")
    assert read.updated_at >= read.created_at
    assert [variable.name for variable in repository.get_variables()] == ["CHECKPOINT"]
    assert github.repository("acme/ops").variables == {"CHECKPOINT": "2"}


def test_pygithub_reads_the_rate_limit(pygithub: Github) -> None:
    limits = pygithub.get_rate_limit().resources

    assert (limits.core.limit, limits.core.remaining) == (5000, 5000)
    assert limits.search.limit == 30


def test_pygithub_authenticates_as_app_and_installation() -> None:
    """An App finds its installation, and reads a log with an installation token."""
    with Sandbox() as sandbox:  # in real time, by which PyGithub signs
        app = sandbox.app()
        app.install("acme")
        hook = sandbox.org("acme").hook("http://127.0.0.1:9/hook")
        ids = [hook.record() for _ in range(3)][::-1]
        signer = Auth.AppAuth(app.client_id, app.private_key)

        with GithubIntegration(
            auth=signer,
            base_url=sandbox.url,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ) as integration:
            installation = integration.get_org_installation("acme")
            token = integration.get_access_token(
                installation.id, permissions={"organization_hooks": "read"}
            )
            itself = integration.get_app()
        with a_client(sandbox, token.token) as client:
            log = client.get_organization("acme").get_hook_deliveries(hook.id)
            found = [row.id for row in log]

    assert found == ids
    assert token.expires_at > datetime.now(UTC) + timedelta(minutes=50)
    assert itself.slug == "redeliver-bot"
    assert (installation.target_id, installation.target_type) == (
        itself.owner.id,
        "Organization",
    )
