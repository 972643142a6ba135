"""Turn an unexpected response into an error with advice.

Its message names what failed, what GitHub said, which permission is missing, and who can grant it.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from redeliver.errors import AccessError, RateLimitError, RedeliverError, UnavailableError
from redeliver.github_api.forbidden import forbidden_advice, names_missing_permission
from redeliver.github_api.permissions import SETTINGS_PAGE, Identity, Permission
from redeliver.github_api.response import Response, redirect_advice
from redeliver.sanitize import quote_untrusted

WITH_MESSAGE = range(HTTPStatus.MULTIPLE_CHOICES, HTTPStatus.INTERNAL_SERVER_ERROR)
"""GitHub's API always sends a message with these statuses; without one, something else responded,
such as a website that redirects to its login page."""


def error_for(response: Response, identity: Identity) -> RedeliverError:
    """Return the error for an unexpected response."""
    problem = f"cannot {response.purpose.action}: {response.summary}"
    if response.is_rate_limit:
        return rate_limit_error(response, identity, response.retry_in)
    if response.status in WITH_MESSAGE and not response.message:
        return response.not_github()
    if response.is_unsupported_version:
        return UnavailableError(
            f"{problem}. Use a newer version of redeliver, which requests an API version that this "
            "GitHub supports. No events are lost if it runs while they are still in GitHub's log, "
            "which goes back 3 days, or 7 days on Enterprise Server"
        )
    advice = _advice(response, identity)
    if advice or response.status == HTTPStatus.FORBIDDEN:
        return AccessError(f"{problem}. {advice}" if advice else problem)
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"{problem}. This is a redirect. {redirect_advice(response.purpose)}"
        )
    return UnavailableError(
        f"{problem}. No events are lost; the next run retries", reason=response.summary
    )


def rate_limit_error(
    response: Response, identity: Identity, seconds: int, *, reserved_for: str = ""
) -> RateLimitError:
    """Return the error for a rate limit that lasts for `seconds` after `response`.

    `reserved_for` is not empty if the run keeps the last requests for something.
    """
    until = response.date + timedelta(seconds=seconds)
    often = (
        "GitHub counts all requests of an App's installation together. If this happens often, use "
        "an App that does little else"
        if identity.is_app
        else "GitHub counts the requests of all tokens of a user together. If this happens often, "
        "use a token of a user who does little else"
    )
    limit = f"the rate limit of {identity.name} is used up until {until:%H:%M:%S} UTC"
    if reserved_for:
        limit = (
            f"the last requests of the rate limit of {identity.name} are kept for {reserved_for}, "
            f"until {until:%H:%M:%S} UTC"
        )
    return RateLimitError(
        f"cannot {response.purpose.action}: {limit}. No events are lost; the next run retries. "
        f"{often}"
    )


def _advice(response: Response, identity: Identity) -> str | None:
    """Return what to do about a response; None if GitHub's message is all there is to say."""
    if advice := forbidden_advice(response):
        return advice
    if response.status == HTTPStatus.FORBIDDEN and not names_missing_permission(response):
        return None
    if identity.is_installation and response.status == HTTPStatus.UNAUTHORIZED:
        return (
            "GitHub does not accept the token that it has just issued for the App's installation. "
            "No events are lost; the next run requests another token. If this happens again, look "
            "at GitHub's status page"
        )
    return _app_advice(response) if identity.is_app else _token_advice(response, identity.name)


def _app_advice(response: Response) -> str | None:
    """Return what the App lacks and where to grant it; None if it lacks nothing."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                "GitHub does not recognise the GitHub App. Either 'client-id' and 'private-key' do "
                "not belong to the same App, or the key was deleted, or the App belongs to a "
                "different GitHub than 'hostname', or the clock of this machine is minutes off. "
                "Compare the id on the App's settings page, and generate a new private key there "
                "if necessary"
            )
        case HTTPStatus.NOT_FOUND if "integration" in response.message.lower():
            return (
                "GitHub has no App with the id in 'client-id'. Compare it with the id on the App's "
                "settings page, and check 'hostname'"
            )
        case HTTPStatus.NOT_FOUND:
            lead = _first_check(permission)
        # GitHub's response when a token is requested for a repository that does not exist.
        case HTTPStatus.UNPROCESSABLE_ENTITY if "repository" in response.message:
            lead = _first_check(permission)
        case HTTPStatus.UNPROCESSABLE_ENTITY if "permission" not in response.message.lower():
            return None
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNPROCESSABLE_ENTITY:
            lead = "Most likely"
        case _:
            return None
    if not permission.fine_grained:
        return _check_names(response)
    return (
        f"{lead} the GitHub App is not installed there, its installation is suspended, or it lacks"
        f" a permission: it needs {permission.fine_grained}. Grant that in the App's settings "
        "under Permissions & events. Then an owner has to accept it where the App is installed"
        f"{_github_says(response.headers)}"
    )


def _token_advice(response: Response, token: str) -> str | None:
    """Return what `token` lacks and where to grant it; None if it lacks nothing."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"GitHub does not recognise {token}: it is mistyped, expired or revoked, or "
                "belongs to a different GitHub than 'hostname'. Create a new token and use that"
            )
        case HTTPStatus.FORBIDDEN:
            lead = "Most likely"
        case HTTPStatus.NOT_FOUND:
            # GitHub also sends this for a resource that exists but that the token may not read.
            lead = _first_check(permission)
        case _:
            return None
    if not permission.fine_grained:
        return _check_names(response)
    return (
        f"{lead} {token} lacks a permission: a fine-grained token needs {permission.fine_grained}"
        f"{permission.created_by}. A classic token needs the scope {permission.classic_scope}. "
        f"Whoever created the token can grant that under {SETTINGS_PAGE}. A workflow's own "
        f"GITHUB_TOKEN cannot have this permission{_github_says(response.headers)}"
    )


def _first_check(permission: Permission) -> str:
    """Return the beginning of the advice if the names in the inputs may be wrong."""
    return f"Check {permission.inputs} for a mistake. If there is none,"


def _check_names(response: Response) -> str:
    """Return what to check after a request that needs no permission."""
    inputs = response.purpose.permission.inputs
    says = _github_says(response.headers)
    return f"This request needs no permission, so check {inputs} for a mistake{says}"


def _github_says(headers: Mapping[str, str]) -> str:
    """Return what GitHub's headers say of needed permissions and of a classic token's scopes."""
    says = {
        "needed permission": headers.get("x-accepted-github-permissions", ""),
        "needed scope": headers.get("x-accepted-oauth-scopes", ""),
        "the token's scopes": headers.get("x-oauth-scopes", ""),
    }
    listed = "; ".join(f"{name}: {_permissions(text)}" for name, text in says.items() if text)
    return f". GitHub says: {listed}" if listed else ""


PERMISSIONS = re.compile(r"[a-z_]+=[a-z_]+([;,] ?[a-z_]+=[a-z_]+)*")
"""GitHub's list of permissions, such as `pull_requests=read; contents=read`."""


def _permissions(text: str) -> str:
    """Write `hooks=write` as `hooks write`: `quote_untrusted` takes `=` for part of a URL."""
    return quote_untrusted(text.replace("=", " ") if PERMISSIONS.fullmatch(text) else text)
