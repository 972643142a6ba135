"""Apps as they are installed, and the tokens they get."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from github_sandbox import App, Hook, Installation, VirtualClock

from .client import Client, deliveries, installed, issue, refusal

VARIABLES = "/repos/acme/ops/actions/variables"

BAD_CREDENTIALS = (401, "Bad credentials")
NOT_FOUND = (404, "Not Found")
NOT_GRANTED = (422, "The permissions requested are not granted to this installation.")
NOT_ACCESSIBLE = (
    422,
    (
        "There is at least one repository that does not exist or is not accessible to the parent "
        "installation."
    ),
)
SUSPENDED = (403, "This installation has been suspended")


def test_an_installation_is_found_by_account_repository_and_id(
    as_app: Client, acme: Installation
) -> None:
    found = as_app.get(f"/app/installations/{acme.id}").json()

    for path in (
        "/orgs/ACME/installation",
        "/users/ACME/installation",
        "/repos/Acme/OPS/installation",
    ):
        assert as_app.get(path).json() == found
    assert found["id"] == acme.id
    assert (found["account"]["login"], found["target_type"]) == ("acme", "Organization")
    assert found["repository_selection"] == "all"
    assert found["permissions"] == {"organization_hooks": "write", "actions_variables": "write"}
    assert found["suspended_at"] is None


def test_a_user_is_no_organization(as_app: Client, app: App) -> None:
    app.install("octocat")

    found = as_app.get("/users/octocat/installation").json()

    assert (found["account"]["type"], found["target_type"]) == ("User", "User")
    assert refusal(as_app.get("/orgs/octocat/installation")) == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/orgs/globex/installation", id="on an organization"),
        pytest.param("/orgs/nobody/installation", id="on nobody"),
        pytest.param("/users/globex/installation", id="on an account"),
        pytest.param("/repos/globex/site/installation", id="on a repository"),
        pytest.param("/repos/acme/shop/installation", id="on a repository that was not chosen"),
        pytest.param("/repos/acme/nothing/installation", id="on no repository"),
        pytest.param("/app/installations/1", id="at all"),
    ],
)
def test_the_app_is_not_installed(as_app: Client, app: App, path: str) -> None:
    github = as_app.github
    github.org("globex")
    github.repository("globex/site")
    github.repository("acme/shop")
    app.install("acme", repositories={"acme/ops"})
    github.app("another-bot").install("globex")

    assert refusal(as_app.get(path)) == NOT_FOUND


def test_an_installation_is_of_repositories_of_its_account(app: App) -> None:
    with pytest.raises(ValueError, match="of acme"):
        app.install("acme", repositories={"globex/site"})


def test_a_token_is_issued(as_app: Client, app: App, acme: Installation) -> None:
    response = as_app.post(f"/app/installations/{acme.id}/access_tokens")

    assert response.status_code == 201
    answer = response.json()
    [issued] = app.tokens
    assert answer == {
        "token": issued.value,
        "expires_at": "2026-01-10T01:00:00Z",
        "permissions": {"organization_hooks": "write", "actions_variables": "write"},
        "repository_selection": "all",
    }
    assert issued.value.startswith("ghs_")
    assert issued.value not in repr(app.tokens)


def test_a_token_does_what_the_installation_may(
    as_app: Client, acme: Installation, hook: Hook
) -> None:
    client = installed(as_app, acme)

    assert client.redeliver(hook, hook.record()).status_code == 202
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 204
    assert client.get("/rate_limit").status_code == 200
    client.github.settle()


def test_a_token_for_less_does_less(as_app: Client, acme: Installation, hook: Hook) -> None:
    response = issue(as_app, acme, permissions={"organization_hooks": "read"})
    client = replace(as_app, token=response.json()["token"])

    assert response.json()["permissions"] == {"organization_hooks": "read"}
    assert client.get(deliveries(hook)).status_code == 200
    for permission, refused in (
        ("organization_hooks=write", client.redeliver(hook, hook.record())),
        ("actions_variables=read", client.get(VARIABLES)),
    ):
        assert refusal(refused) == (403, "Resource not accessible by integration")
        assert refused.headers["X-Accepted-GitHub-Permissions"] == permission


def test_to_ask_for_nothing_in_particular_is_to_ask_for_all(
    as_app: Client, acme: Installation
) -> None:
    assert issue(as_app, acme, permissions={}).json()["permissions"] == {
        "organization_hooks": "write",
        "actions_variables": "write",
    }


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        pytest.param({"permissions": {"contents": "read"}}, NOT_GRANTED, id="no such right"),
        pytest.param(
            {"permissions": {"organization_hooks": "write"}}, NOT_GRANTED, id="a higher level"
        ),
        pytest.param(
            {"permissions": {"organization_hooks": "admin"}}, NOT_GRANTED, id="no such level"
        ),
        pytest.param({"permissions": ["contents"]}, NOT_GRANTED, id="a list of rights"),
        pytest.param({"repositories": ["shop"]}, NOT_ACCESSIBLE, id="a repository not chosen"),
        pytest.param({"repositories": ["acme/ops"]}, NOT_ACCESSIBLE, id="a full name"),
        pytest.param({"repositories": "ops"}, NOT_ACCESSIBLE, id="no list"),
        pytest.param({"repository_ids": [1]}, NOT_ACCESSIBLE, id="an unknown id"),
        pytest.param({"repository_ids": ["ops"]}, NOT_ACCESSIBLE, id="a name for an id"),
    ],
)
def test_no_token_is_issued_for(
    as_app: Client, app: App, asked: dict[str, Any], answer: tuple[int, str]
) -> None:
    as_app.github.repository("acme/shop")
    installation = app.install("acme", {"organization_hooks": "read"}, {"acme/ops"})

    assert refusal(issue(as_app, installation, **asked)) == answer
    assert app.tokens == []


def test_no_token_is_issued_for_an_unknown_installation(as_app: Client) -> None:
    elsewhere = as_app.github.app("another-bot").install("acme")

    assert refusal(issue(as_app, elsewhere)) == NOT_FOUND


def test_a_token_is_for_its_account_only(as_app: Client, acme: Installation) -> None:
    github = as_app.github
    foreign = github.org("globex").hook("http://127.0.0.1:9")
    github.repository("globex/site").variables["A"] = "1"
    client = installed(as_app, acme)

    assert refusal(client.get(deliveries(foreign))) == NOT_FOUND
    assert refusal(client.get("/repos/globex/site/actions/variables/A")) == NOT_FOUND


def test_a_token_can_be_for_less_than_the_repositories_chosen(
    as_app: Client, app: App, hook: Hook
) -> None:
    github = as_app.github
    for name in ("acme/ops", "acme/site", "acme/shop"):
        github.repository(name).variables["A"] = "1"
    installation = app.install("acme", repositories=["acme/OPS", "acme/site"])
    site = github.repository("acme/site").id

    def reached(client: Client) -> list[str]:
        return [
            name
            for name in ("ops", "site", "shop")
            if client.get(f"/repos/acme/{name}/actions/variables/A").status_code == 200
        ]

    both = issue(as_app, installation)
    by_name = issue(as_app, installation, repositories=["Ops"])
    by_id = issue(as_app, installation, repository_ids=[site])

    assert reached(replace(as_app, token=both.json()["token"])) == ["ops", "site"]
    assert reached(replace(as_app, token=by_name.json()["token"])) == ["ops"]
    assert reached(replace(as_app, token=by_id.json()["token"])) == ["site"]
    assert {each.json()["repository_selection"] for each in (both, by_name, by_id)} == {"selected"}
    # What the organization has is no repository's.
    assert installed(as_app, installation, repositories=["ops"]).get(hook.path).status_code == 200


def test_a_token_sees_repository_hooks_where_it_is_installed(as_app: Client, app: App) -> None:
    hooks = [
        as_app.github.repository(name).hook("http://127.0.0.1:9")
        for name in ("acme/ops", "acme/shop")
    ]
    installation = app.install("acme", {"repository_hooks": "read"}, {"acme/ops"})
    client = installed(as_app, installation)

    assert [client.get(deliveries(hook)).status_code for hook in hooks] == [200, 404]
    assert client.redeliver(hooks[0], hooks[0].record()).status_code == 403


def test_a_token_is_good_as_long_as_the_clock_says(
    as_app: Client, app: App, acme: Installation, clock: VirtualClock
) -> None:
    client = installed(as_app, acme)

    clock.advance(timedelta(minutes=59, seconds=59))
    assert client.get("/orgs/acme/hooks").status_code == 200

    clock.advance(timedelta(seconds=1))
    assert refusal(client.get("/orgs/acme/hooks")) == BAD_CREDENTIALS
    assert app.tokens[0].expires_at == clock()


def test_a_suspended_installation_is_of_no_use(as_app: Client, acme: Installation) -> None:
    client = installed(as_app, acme)

    acme.suspend()

    assert refusal(issue(as_app, acme)) == SUSPENDED
    assert refusal(client.get(VARIABLES)) == SUSPENDED
    found = as_app.get("/orgs/acme/installation").json()
    assert found["suspended_at"] == "2026-01-10T00:00:00Z"


def test_all_tokens_share_the_limit(as_app: Client, acme: Installation, client: Client) -> None:
    before = int(client.get(VARIABLES).headers["x-ratelimit-remaining"])
    after = installed(as_app, acme).get(VARIABLES).headers["x-ratelimit-remaining"]

    assert int(after) == before - 2
