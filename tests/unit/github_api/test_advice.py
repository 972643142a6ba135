"""An error says which permission is missing, and where to grant it."""

import json
from dataclasses import replace

import pytest

from redeliver.errors import AccessError, RateLimitError, UnavailableError
from redeliver.github_api.advice import error_for
from redeliver.github_api.permissions import (
    APP_IDENTITY,
    INSTALLATION_IDENTITY,
    Identity,
    token_identity,
)
from redeliver.github_api.response import Response
from redeliver.github_api.webhooks import REPOSITORY
from redeliver.sanitize import sanitize
from tests.support.builders import a_response

IDENTITIES = [
    pytest.param(token_identity("token"), id="token"),
    pytest.param(APP_IDENTITY, id="App"),
    pytest.param(INSTALLATION_IDENTITY, id="installation"),
]

PURPOSE = REPOSITORY.to("write the log")


def a_403(message: str) -> Response:
    return replace(a_response(403, json.dumps({"message": message})), purpose=PURPOSE)


@pytest.mark.parametrize("identity", [token_identity("token"), APP_IDENTITY], ids=["token", "App"])
def test_no_permission_is_advised_where_none_is_needed(identity: Identity) -> None:
    error = error_for(a_response(404, '{"message": "Not Found"}'), identity)

    assert isinstance(error, AccessError)
    assert str(error) == (
        "cannot read the log: GitHub responded 404, Not Found. "
        "This request needs no permission, so check 'hook-id' for a mistake"
    )


REFUSALS = [
    pytest.param(
        "Although you appear to have the correct authorization credentials, the `acme` "
        "organization has an IP allow list enabled, and 192.0.2.7 is not permitted to access this "
        "resource.",
        "Ask an owner of the organization to add the IP address of this machine",
        id="an IP allow list",
    ),
    pytest.param(
        "The 'acme' organization forbids access via a fine-grained personal access tokens if the "
        "token's lifetime is greater than 366 days. Please adjust your token's lifetime at the "
        "following URL: https://github.com/settings/personal-access-tokens/7",
        "Create a token that expires sooner",
        id="a long lifetime",
    ),
    pytest.param(
        "`acme` forbids access via a personal access token (classic). Please use a GitHub App, "
        "OAuth App, or a personal access token with fine-grained permissions.",
        "Use a fine-grained token",
        id="a classic token",
    ),
    pytest.param(
        "`acme` forbids access via a fine-grained personal access token. Please use a GitHub App.",
        "Use a GitHub App",
        id="a fine-grained token",
    ),
    pytest.param(
        "Repository was archived so is read-only.",
        "Unarchive the repository",
        id="an archived repository",
    ),
    pytest.param(
        "This installation has been suspended", "An owner of the", id="a suspended installation"
    ),
    pytest.param(
        "Sorry. Your account was suspended.", "Only GitHub's support", id="a suspended account"
    ),
]


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize(("message", "advice"), REFUSALS)
def test_a_403_gets_the_advice_that_fits_githubs_words(
    identity: Identity, message: str, advice: str
) -> None:
    error = error_for(a_403(message), identity)

    assert isinstance(error, AccessError)
    assert f". {advice}" in str(error)
    assert "permission:" not in str(error)
    assert "not installed" not in str(error)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_403_with_a_header_about_sso_is_about_saml(identity: Identity) -> None:
    error = error_for(a_response(403, x_github_sso="required; url=https://x"), identity)

    assert "has to authorize it for the organization under" in str(error)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_403_with_other_words_gets_no_advice(identity: Identity) -> None:
    error = error_for(a_403("Repository access blocked"), identity)

    assert isinstance(error, AccessError)
    assert str(error) == "cannot write the log: GitHub responded 403, Repository access blocked"


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize(
    "message",
    [
        "Resource not accessible by integration",
        "Resource not accessible by personal access token",
        "Must have admin rights to Repository.",
    ],
)
def test_a_403_about_a_permission_names_it(identity: Identity, message: str) -> None:
    error = error_for(a_403(message), identity)

    assert f"{message.rstrip('.')}. Most likely the " in str(error)
    assert "the repository permission 'Webhooks' (read and write)" in str(error)


@pytest.mark.parametrize(
    ("identity", "advice"),
    [
        (token_identity("token"), "use a token of a user who does little else"),
        (INSTALLATION_IDENTITY, "use an App that does little else"),
    ],
    ids=["token", "installation"],
)
def test_a_rate_limit_that_is_used_up_gets_advice(identity: Identity, advice: str) -> None:
    error = error_for(a_response(429, retry_after="600"), identity)

    assert isinstance(error, RateLimitError)
    assert "is used up until 12:10:00 UTC. No events are lost" in str(error)
    assert str(error).endswith(advice)


def test_a_401_to_an_apps_jwt_names_its_id_and_key() -> None:
    error = error_for(a_response(401, '{"message": "Bad credentials"}'), APP_IDENTITY)

    assert "Either 'client-id' and 'private-key' do not belong to the same App" in str(error)


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        pytest.param(404, "Integration not found", "GitHub has no App with the id", id="no App"),
        pytest.param(404, "Not Found", "Check 'repo' and 'hook-id' for a mistake. If", id="a name"),
        pytest.param(
            422,
            "There is at least one repository that does not exist or is not accessible",
            "Check 'repo' and 'hook-id' for a mistake. If there is none, the GitHub App is not",
            id="a repository",
        ),
        pytest.param(
            422,
            "The permissions requested are not granted to this installation.",
            "Most likely the GitHub App is not installed there",
            id="a permission",
        ),
    ],
)
def test_an_app_gets_the_advice_that_fits_githubs_words(
    status: int, message: str, advice: str
) -> None:
    response = replace(a_response(status, json.dumps({"message": message})), purpose=PURPOSE)

    error = error_for(response, APP_IDENTITY)

    assert isinstance(error, AccessError)
    assert f"{message.rstrip('.')}. {advice}" in str(error)


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize("status", [400, 410, 500])
def test_other_errors_are_left_to_the_next_run(identity: Identity, status: int) -> None:
    error = error_for(a_response(status, '{"message": "No"}'), identity)

    assert isinstance(error, UnavailableError)
    assert str(error) == (
        f"cannot read the log: GitHub responded {status}, No. "
        "No events are lost; the next run retries"
    )
    assert error.reason == f"GitHub responded {status}, No"


def test_a_422_with_other_words_is_no_missing_permission() -> None:
    response = a_response(422, '{"message": "Validation Failed"}')

    error = error_for(response, APP_IDENTITY)

    assert isinstance(error, UnavailableError)
    assert "not installed" not in str(error)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("metadata=read", "needed permission: metadata read"),
        ("pull_requests=read; contents=read", "permission: pull_requests read; contents read"),
        ("allows_permissionless_access=true", "permission: allows_permissionless_access true"),
        ("hook?secret=hush", "permission: [URL removed]"),
    ],
)
def test_an_error_lists_the_permissions_that_github_names(header: str, text: str) -> None:
    response = a_response(404, '{"message": "Not Found"}', x_accepted_github_permissions=header)

    error = error_for(replace(response, purpose=PURPOSE), token_identity("token"))

    assert str(error).endswith(text)
    assert sanitize(str(error)) == str(error)
