"""The endpoints that find and list repositories."""

from collections.abc import Callable, Sequence

import pytest

from github_sandbox import App, Installation, Sandbox
from tests.sandbox.client import NOT_FOUND, Client, installation_client, refusal

LISTS = {
    "of an organization": "/orgs/acme/repos",
    "of an installation": "/installation/repositories",
}


@pytest.fixture(autouse=True)
def repositories(github: Sandbox) -> None:
    github.org("acme")
    for name in ("acme/shop", "acme/Team-A", "elsewhere/shop"):
        github.repository(name)


def names(client: Client, path: str) -> Sequence[str]:
    response = client.get(path, params={"per_page": 100})
    assert response.status_code == 200, response.text
    body = response.json()
    return [
        each["full_name"] for each in (body if isinstance(body, list) else body["repositories"])
    ]


def test_a_repository_is_found_by_its_name_in_any_case(client: Client, github: Sandbox) -> None:
    found = client.get("/repos/ACME/team-a").json()

    assert (found["id"], found["full_name"]) == (github.repository("acme/team-a").id, "acme/Team-A")
    assert found["hooks_url"] == f"{github.url}/repos/acme/Team-A/hooks"
    assert found["owner"]["type"] == "Organization"


@pytest.mark.parametrize("path", ["/repos/acme/shopp", "/orgs/nobody/repos"])
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    assert refusal(client.get(path)) == NOT_FOUND


def test_an_organizations_list_has_only_its_repositories(client: Client) -> None:
    assert names(client, "/orgs/ACME/repos") == ["acme/ops", "acme/shop", "acme/Team-A"]
    page = client.get("/orgs/acme/repos", params={"per_page": 2, "page": 2})
    assert [each["name"] for each in page.json()] == ["Team-A"]


SEEING: dict[str, Callable[[Sandbox], None]] = {
    "metadata": lambda github: github.token("other", metadata="read"),
    "variables": lambda github: github.token("other", actions_variables="read"),
    "a repository's webhooks": lambda github: github.token("other", repository_hooks="write"),
    "a classic scope": lambda github: github.token("other", scopes={"repo"}),
}
BLIND: dict[str, Callable[[Sandbox], None]] = {
    "an organization's webhooks": lambda github: github.token("other", organization_hooks="write"),
    "another classic scope": lambda github: github.token("other", scopes={"admin:org_hook"}),
    "no single sign-on": lambda github: github.token("other", scopes={"repo"}, sso=True),
}


@pytest.mark.parametrize("case", SEEING)
def test_a_private_repository_is_shown_with_access_to(github: Sandbox, case: str) -> None:
    SEEING[case](github)
    client = Client(github, "other")

    assert client.get("/repos/acme/shop").status_code == 200
    assert "acme/shop" in names(client, "/orgs/acme/repos")


@pytest.mark.parametrize("case", BLIND)
def test_a_private_repository_is_hidden_with_access_to(github: Sandbox, case: str) -> None:
    BLIND[case](github)
    client = Client(github, "other")

    assert refusal(client.get("/repos/acme/shop")) == NOT_FOUND
    assert names(client, "/orgs/acme/repos") == []


@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
def test_an_installation_sees_what_it_covers(app: App, as_app: Client, path: str) -> None:
    installation = app.install("acme", {"metadata": "read"}, repositories=["acme/shop"])

    assert names(installation_client(as_app, installation), path) == ["acme/shop"]


def test_a_token_without_metadata_sees_no_repository(as_app: Client, acme: Installation) -> None:
    client = installation_client(as_app, acme, permissions={"organization_hooks": "read"})

    assert names(client, "/installation/repositories") == []
    assert refusal(client.get("/repos/acme/ops")) == NOT_FOUND


def test_only_an_installation_has_a_list_of_its_own(client: Client) -> None:
    status, message = refusal(client.get("/installation/repositories"))

    assert status == 403
    assert message.startswith("You must authenticate with an installation access token")
