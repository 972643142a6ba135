"""The endpoints with which an App finds itself and its installations."""

import pytest

from github_sandbox import App, Installation
from tests.sandbox.client import NOT_FOUND, Client, refusal


def test_an_app_can_read_about_itself(as_app: Client, app: App) -> None:
    shown = as_app.get("/app").json()

    assert (shown["id"], shown["client_id"], shown["slug"]) == (app.id, app.client_id, app.slug)
    assert (shown["owner"]["login"], shown["owner"]["type"]) == ("acme", "User")
    assert shown["html_url"] == "https://github.com/apps/redeliver-bot"
    assert shown["permissions"] == {"organization_hooks": "write", "actions_variables": "write"}
    as_app.github.org("acme")
    assert as_app.get("/app").json()["owner"]["type"] == "Organization"


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


def test_a_users_installation_is_not_an_organizations(as_app: Client, app: App) -> None:
    app.install("octocat")

    found = as_app.get("/users/octocat/installation").json()

    assert (found["account"]["type"], found["target_type"]) == ("User", "User")
    assert refusal(as_app.get("/orgs/octocat/installation")) == NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/orgs/globex/installation", id="of an organization"),
        pytest.param("/orgs/nobody/installation", id="of a missing organization"),
        pytest.param("/users/globex/installation", id="of an account"),
        pytest.param("/repos/globex/site/installation", id="of a repository"),
        pytest.param("/repos/acme/shop/installation", id="of a repository that was not selected"),
        pytest.param("/repos/acme/nothing/installation", id="of a missing repository"),
        pytest.param("/app/installations/1", id="by an unknown id"),
    ],
)
def test_a_missing_installation_is_not_found(as_app: Client, app: App, path: str) -> None:
    github = as_app.github
    github.org("globex")
    github.repository("globex/site")
    github.repository("acme/shop")
    app.install("acme", repositories={"acme/ops"})
    github.app("another-bot").install("globex")

    assert refusal(as_app.get(path)) == NOT_FOUND


def test_an_installation_covers_repositories_of_its_account(app: App) -> None:
    with pytest.raises(ValueError, match="of acme"):
        app.install("acme", repositories={"globex/site"})
