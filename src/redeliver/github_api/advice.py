"""Turn an unexpected response into an error with advice.

Its message names what failed, what GitHub said, which permission is missing, and who can grant it.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from redeliver.errors import AccessError, RateLimitError, RedeliverError, UnavailableError
from redeliver.github_api.permissions import Identity
from redeliver.github_api.response import Response
from redeliver.sanitize import quote_untrusted

SETTINGS_PAGE = "Settings > Developer settings > Personal access tokens"
"""Where GitHub's website shows a user's tokens."""

REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""The statuses that GitHub never sends without a message."""


def error_for(response: Response, identity: Identity) -> RedeliverError:
    """Return the error for an unexpected response."""
    problem = f"cannot {response.purpose.action}: {response.summary}"
    if response.is_rate_limit:
        return rate_limit_error(response, identity, response.retry_in)
    if response.status in REFUSALS and not response.message:
        return response.not_github()
    if response.is_unsupported_version:
        return UnavailableError(
            f"{problem}. Use a newer version of redeliver, which asks for one that this GitHub "
            "knows: nothing is lost while its log is kept, 3 days or on Enterprise Server 7"
        )
    lacking = _app_advice(response) if identity.is_app else _token_advice(response, identity.name)
    if lacking:
        return AccessError(f"{problem}. {lacking}")
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"{problem}, a redirect, which is not followed because the token must go nowhere "
            f"else. Was something renamed? Check {response.purpose.permission.inputs}"
        )
    return UnavailableError(f"{problem}. Nothing is lost: the next run sees to it")


def rate_limit_error(response: Response, identity: Identity, seconds: int) -> RateLimitError:
    """Return the error for a rate limit that lasts for `seconds` after `response`."""
    until = response.date + timedelta(seconds=seconds)
    often = (
        "GitHub counts all that an App's installation asks together"
        if identity.is_app
        else "GitHub counts all tokens of a user together"
    )
    return RateLimitError(
        f"cannot {response.purpose.action}: the rate limit of {identity.name} is used up until "
        f"{until:%H:%M:%S} UTC. Nothing is lost: the next run finds what this one left. "
        f"{often}, so if this happens often, use one that does little else"
    )


def _app_advice(response: Response) -> str | None:
    """Return what the App lacks and where to grant it; None if it lacks nothing."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                "It does not know the App: 'app-id' and 'private-key' do not belong together, the "
                "key was revoked, the App belongs to another GitHub than 'hostname' says, or the "
                "clock of this machine is minutes off. The App's settings page shows its id and "
                "makes keys"
            )
        case HTTPStatus.NOT_FOUND:
            doubt = f"Check {permission.inputs} for a mistake; if there is none,"
        # GitHub's response when a token is requested for a repository that does not exist.
        case HTTPStatus.UNPROCESSABLE_ENTITY if "repository" in response.message:
            doubt = f"Check {permission.inputs} for a mistake; if there is none,"
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNPROCESSABLE_ENTITY:
            doubt = "Most likely"
        case _:
            return None
    if not permission.fine_grained:
        return _check_names(response)
    return (
        f"{doubt} the GitHub App is not installed there, its installation is suspended, or it lacks"
        f" a permission: it needs {permission.fine_grained}. Grant it in the App's settings under "
        "Permissions & events, and have an owner accept that where the App is installed"
        f"{_github_says(response.headers)}"
    )


def _token_advice(response: Response, token: str) -> str | None:
    """Return what `token` lacks and where to grant it; None if it lacks nothing."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"It does not know {token}, which is mistyped, expired or revoked, or belongs to "
                "another GitHub than 'hostname' says. Create a new one and use it instead"
            )
        case HTTPStatus.FORBIDDEN if "x-github-sso" in response.headers:
            return (
                "The organization uses SAML single sign-on: whoever made "
                f"{token} has to authorize it under {SETTINGS_PAGE} > Configure SSO"
            )
        case HTTPStatus.FORBIDDEN:
            doubt = "Most likely "
        case HTTPStatus.NOT_FOUND:
            # GitHub also sends this for a resource that exists but that the token may not read.
            doubt = f"Check {permission.inputs} for a mistake; if there is none, "
        case _:
            return None
    if not permission.fine_grained:
        return _check_names(response)
    return (
        f"{doubt}{token} lacks a permission: a fine-grained token needs {permission.fine_grained}"
        f"{permission.created_by}, "
        f"a classic token the scope {permission.classic_scope}. Whoever made the token can "
        f"grant that under {SETTINGS_PAGE}. "
        f"A workflow's own GITHUB_TOKEN can never have it{_github_says(response.headers)}"
    )


def _check_names(response: Response) -> str:
    """Return what to check after a request that needs no permission."""
    inputs = response.purpose.permission.inputs
    says = _github_says(response.headers)
    return f"That takes no permission: check {inputs} for a mistake{says}"


def _github_says(headers: Mapping[str, str]) -> str:
    """Return what GitHub's headers say of needed permissions and of a classic token's scopes."""
    says = {
        "needed permission": headers.get("x-accepted-github-permissions", ""),
        "needed scope": headers.get("x-accepted-oauth-scopes", ""),
        "scopes the token has": headers.get("x-oauth-scopes", ""),
    }
    listed = "; ".join(f"{name} {_permissions(text)}" for name, text in says.items() if text)
    return f". GitHub says: {listed}" if listed else ""


def _permissions(text: str) -> str:
    """Quote permissions without the equals sign, which would look like part of a URL."""
    return quote_untrusted(re.sub("=(read|write|admin)", r" \1", text))
