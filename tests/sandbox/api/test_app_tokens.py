"""Apps authenticate with JSON web tokens, and get installation tokens."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from github_sandbox import App, Hook, Installation, VirtualClock
from tests.sandbox.client import (
    NOT_FOUND,
    VARIABLES,
    Client,
    deliveries,
    installation_client,
    issue_token,
    refusal,
    sign_jwt,
)

BAD_CREDENTIALS = (401, "Bad credentials")
NOT_DECODED = (401, "A JSON web token could not be decoded")
NOT_ISSUED_YET = (
    401,
    (
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
        "was issued"
    ),
)
EXPIRED = (
    401,
    (
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
        "which the assertion expires"
    ),
)
TOO_FAR = (401, "'Expiration time' claim ('exp') is too far in the future")
NOT_AN_ISSUER = (401, "'Issuer' claim ('iss') must be an Integer")
JWT_ENDPOINTS = [
    ("GET", "/app"),
    ("GET", "/app/installations/1"),
    ("POST", "/app/installations/1/access_tokens"),
    ("GET", "/app/hook/config"),
    ("GET", "/app/hook/deliveries"),
    ("GET", "/app/hook/deliveries/1"),
    ("POST", "/app/hook/deliveries/1/attempts"),
    ("GET", "/orgs/acme/installation"),
    ("GET", "/users/acme/installation"),
    ("GET", "/repos/acme/ops/installation"),
]
TOKEN_ENDPOINTS = [
    ("GET", "/rate_limit"),
    ("GET", "/orgs/acme/hooks"),
    ("GET", "/orgs/acme/hooks/1/deliveries"),
    ("GET", "/repos/acme/ops/hooks"),
    ("GET", VARIABLES),
    ("PATCH", f"{VARIABLES}/A"),
]
NOT_GRANTED = (422, "The permissions requested are not granted to this installation.")
NOT_ACCESSIBLE = (
    422,
    (
        "There is at least one repository that does not exist or is not accessible to the parent "
        "installation."
    ),
)
NOT_GRANTED_YET = (403, "Resource not accessible by integration")
SUSPENDED = (403, "This installation has been suspended")


def test_a_private_key_has_the_format_of_github(app: App) -> None:
    assert app.private_key.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert app.client_id.startswith("Iv23li")


def test_an_issuer_is_an_app_id_or_client_id(as_app: Client, app: App, clock: VirtualClock) -> None:
    for issuer in (app.id, str(app.id), app.client_id):
        token = sign_jwt(app, clock, iss=issuer)
        assert replace(as_app, token=token).get("/app").json()["id"] == app.id


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param({"iss": 1}, (404, "Integration not found"), id="an unknown App id"),
        pytest.param({"iss": "1"}, (404, "Integration not found"), id="an unknown App id as text"),
        pytest.param({"iss": None}, NOT_AN_ISSUER, id="no issuer"),
        pytest.param({"iss": "Iv23liNobody"}, NOT_AN_ISSUER, id="an unknown client id"),
        pytest.param({"iat": 1}, NOT_ISSUED_YET, id="issued a second from now"),
        pytest.param({"iat": "soon"}, NOT_ISSUED_YET, id="issued at an invalid time"),
        pytest.param({"iat": None}, NOT_ISSUED_YET, id="issued at no time"),
        pytest.param({"exp": 0}, EXPIRED, id="expired just now"),
        pytest.param({"exp": None}, EXPIRED, id="never expires"),
        pytest.param({"exp": 601}, TOO_FAR, id="expires in more than ten minutes"),
        pytest.param({"iat": 0}, 200, id="issued just now"),
        pytest.param({"iat": -3600}, 200, id="issued long ago"),
        pytest.param({"exp": 1}, 200, id="expires a second from now"),
        pytest.param({"exp": 600}, 200, id="expires in ten minutes"),
    ],
)
def test_a_jwt_is_accepted_or_refused_by_its_claims(
    as_app: Client,
    app: App,
    clock: VirtualClock,
    claims: dict[str, Any],
    expected: tuple[int, str] | int,
) -> None:
    """The numbers in `claims` are seconds from now."""
    now = int(clock().timestamp())
    claims = {name: now + at if isinstance(at, int) else at for name, at in claims.items()}

    response = replace(as_app, token=sign_jwt(app, clock, **claims)).get("/app")

    assert (response.status_code if expected == 200 else refusal(response)) == expected


def test_a_jwt_is_valid_until_it_expires(as_app: Client, clock: VirtualClock) -> None:
    clock.advance(timedelta(minutes=8, seconds=59))
    assert as_app.get("/app").status_code == 200

    clock.advance(timedelta(seconds=1))
    assert refusal(as_app.get("/app")) == EXPIRED


def test_the_key_of_another_app_is_refused(as_app: Client, app: App, clock: VirtualClock) -> None:
    another = as_app.github.app("another-bot")
    key = another.private_key

    assert refusal(replace(as_app, token=sign_jwt(app, clock, key=key)).get("/app")) == NOT_DECODED
    assert replace(as_app, token=sign_jwt(another, clock)).get("/app").json()["id"] == another.id


@pytest.mark.parametrize(("method", "path"), JWT_ENDPOINTS)
def test_an_endpoint_for_apps_needs_a_jwt(
    as_app: Client, acme: Installation, method: str, path: str
) -> None:
    for token in (None, "t0k3n", "a.b.c", installation_client(as_app, acme).token):
        assert refusal(replace(as_app, token=token).request(method, path)) == NOT_DECODED
    scheme = {"Authorization": f"token {as_app.token}"}
    assert refusal(as_app.request(method, path, headers=scheme)) == NOT_DECODED


@pytest.mark.parametrize(("method", "path"), TOKEN_ENDPOINTS)
def test_a_jwt_is_refused_where_a_token_is_needed(
    as_app: Client, acme: Installation, method: str, path: str
) -> None:
    assert acme.id
    assert refusal(as_app.request(method, path)) == BAD_CREDENTIALS


def test_an_installation_token_is_issued(as_app: Client, app: App, acme: Installation) -> None:
    response = as_app.post(f"/app/installations/{acme.id}/access_tokens")

    assert response.status_code == 201
    [issued] = app.tokens
    assert response.json() == {
        "token": issued.value,
        "expires_at": "2026-01-10T01:00:00Z",
        "permissions": {"organization_hooks": "write", "actions_variables": "write"},
        "repository_selection": "all",
    }
    assert issued.value not in repr(app.tokens)


def test_an_installation_token_is_long_and_has_dots(
    as_app: Client, app: App, acme: Installation
) -> None:
    tokens = {installation_client(as_app, acme).token or "" for _ in range(3)}

    assert len(tokens) == 3
    for token in tokens:
        assert 510 <= len(token) <= 530
        assert re.fullmatch(rf"ghs_{app.id}_eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", token)


def test_a_token_has_the_installations_permissions(
    as_app: Client, acme: Installation, hook: Hook
) -> None:
    client = installation_client(as_app, acme)

    assert client.redeliver(hook, hook.record()).status_code == 202
    assert client.patch(f"{VARIABLES}/A", json={"value": "2"}).status_code == 204
    assert client.get("/rate_limit").status_code == 200
    client.github.settle()


def test_a_token_with_fewer_permissions_can_do_less(
    as_app: Client, acme: Installation, hook: Hook
) -> None:
    response = issue_token(as_app, acme, permissions={"organization_hooks": "read"})
    client = replace(as_app, token=response.json()["token"])

    assert response.json()["permissions"] == {"organization_hooks": "read"}
    assert client.get(deliveries(hook)).status_code == 200
    for permission, refused in (
        ("organization_hooks=write", client.redeliver(hook, hook.record())),
        ("actions_variables=read", client.get(VARIABLES)),
    ):
        assert refusal(refused) == (403, "Resource not accessible by integration")
        assert refused.headers["X-Accepted-GitHub-Permissions"] == permission


def test_a_token_has_all_permissions_by_default(as_app: Client, acme: Installation) -> None:
    assert issue_token(as_app, acme, permissions={}).json()["permissions"] == {
        "organization_hooks": "write",
        "actions_variables": "write",
    }


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(
            {"permissions": {"contents": "read"}},
            NOT_GRANTED,
            id="a permission that was not granted",
        ),
        pytest.param(
            {"permissions": {"organization_hooks": "write"}},
            NOT_GRANTED,
            id="a higher access level",
        ),
        pytest.param(
            {"permissions": {"organization_hooks": "admin"}},
            NOT_GRANTED,
            id="an unknown access level",
        ),
        pytest.param({"permissions": ["contents"]}, NOT_GRANTED, id="a list of permissions"),
        pytest.param(
            {"repositories": ["shop"]}, NOT_ACCESSIBLE, id="a repository that was not selected"
        ),
        pytest.param({"repositories": ["acme/ops"]}, NOT_ACCESSIBLE, id="a full name"),
        pytest.param({"repositories": "ops"}, NOT_ACCESSIBLE, id="a string instead of a list"),
        pytest.param({"repository_ids": [1]}, NOT_ACCESSIBLE, id="an unknown id"),
        pytest.param({"repository_ids": ["ops"]}, NOT_ACCESSIBLE, id="a name instead of an id"),
    ],
)
def test_no_token_is_issued_for_an_invalid_request(
    as_app: Client, app: App, body: dict[str, Any], error: tuple[int, str]
) -> None:
    as_app.github.repository("acme/shop")
    installation = app.install("acme", {"organization_hooks": "read"}, {"acme/ops"})

    assert refusal(issue_token(as_app, installation, **body)) == error
    assert app.tokens == []


def test_no_token_is_issued_for_an_unknown_installation(as_app: Client) -> None:
    elsewhere = as_app.github.app("another-bot").install("acme")

    assert refusal(issue_token(as_app, elsewhere)) == NOT_FOUND


def test_a_token_is_valid_for_its_account_only(as_app: Client, acme: Installation) -> None:
    github = as_app.github
    foreign = github.org("globex").hook("http://127.0.0.1:9")
    github.repository("globex/site").variables["A"] = "1"
    client = installation_client(as_app, acme)

    assert refusal(client.get(deliveries(foreign))) == NOT_FOUND
    assert refusal(client.get("/repos/globex/site/actions/variables/A")) == NOT_FOUND


def test_a_token_can_have_some_of_the_selected_repositories(
    as_app: Client, app: App, hook: Hook
) -> None:
    github = as_app.github
    for name in ("acme/ops", "acme/site", "acme/shop"):
        github.repository(name).variables["A"] = "1"
    installation = app.install("acme", repositories=["acme/OPS", "acme/site"])
    site = github.repository("acme/site").id

    def accessible(client: Client) -> list[str]:
        return [
            name
            for name in ("ops", "site", "shop")
            if client.get(f"/repos/acme/{name}/actions/variables/A").status_code == 200
        ]

    both = issue_token(as_app, installation)
    by_name = issue_token(as_app, installation, repositories=["Ops"])
    by_id = issue_token(as_app, installation, repository_ids=[site])

    assert accessible(replace(as_app, token=both.json()["token"])) == ["ops", "site"]
    assert accessible(replace(as_app, token=by_name.json()["token"])) == ["ops"]
    assert accessible(replace(as_app, token=by_id.json()["token"])) == ["site"]
    selections = [issued.json()["repository_selection"] for issued in (both, by_name, by_id)]
    assert selections == ["selected"] * 3
    # Organization webhooks do not depend on the selected repositories.
    assert (
        installation_client(as_app, installation, repositories=["ops"]).get(hook.path).status_code
        == 200
    )


def test_a_token_sees_hooks_of_selected_repositories_only(as_app: Client, app: App) -> None:
    hooks = [
        as_app.github.repository(name).hook("http://127.0.0.1:9")
        for name in ("acme/ops", "acme/shop")
    ]
    installation = app.install("acme", {"repository_hooks": "read"}, {"acme/ops"})
    client = installation_client(as_app, installation)

    assert [client.get(deliveries(hook)).status_code for hook in hooks] == [200, 404]
    assert client.redeliver(hooks[0], hooks[0].record()).status_code == 403


def test_a_token_expires_after_an_hour(
    as_app: Client, app: App, acme: Installation, clock: VirtualClock
) -> None:
    client = installation_client(as_app, acme)

    clock.advance(timedelta(minutes=59, seconds=59))
    assert client.get("/orgs/acme/hooks").status_code == 200

    clock.advance(timedelta(seconds=1))
    assert refusal(client.get("/orgs/acme/hooks")) == BAD_CREDENTIALS
    assert app.tokens[0].expires_at == clock()


@pytest.mark.parametrize(("status", "refused"), [(401, BAD_CREDENTIALS), (403, NOT_GRANTED_YET)])
def test_the_first_requests_with_a_new_token_are_refused(
    as_app: Client, acme: Installation, status: Literal[401, 403], refused: tuple[int, str]
) -> None:
    as_app.github.delay_tokens(requests=2, status=status)

    for _ in range(2):
        client = installation_client(as_app, acme)
        for _ in range(2):
            assert refusal(client.get(VARIABLES)) == refused
        assert [client.get(VARIABLES).status_code for _ in range(2)] == [200, 200]


def test_a_token_that_was_issued_before_is_not_delayed(
    as_app: Client, acme: Installation, client: Client
) -> None:
    """Neither is a personal access token."""
    earlier = installation_client(as_app, acme)

    as_app.github.delay_tokens(requests=1)

    assert earlier.get(VARIABLES).status_code == 200
    assert client.get(VARIABLES).status_code == 200


def test_a_suspended_installation_has_no_access(as_app: Client, acme: Installation) -> None:
    client = installation_client(as_app, acme)

    acme.suspend()

    assert refusal(issue_token(as_app, acme)) == SUSPENDED
    assert refusal(client.get(VARIABLES)) == SUSPENDED
    found = as_app.get("/orgs/acme/installation").json()
    assert found["suspended_at"] == "2026-01-10T00:00:00Z"
