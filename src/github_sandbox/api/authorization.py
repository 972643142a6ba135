"""Authenticate API requests, and check the permissions of their tokens, as GitHub does."""

from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from github_sandbox.api.requests import sent_token
from github_sandbox.errors import ApiError, not_found
from github_sandbox.model.entities import (
    Access,
    InstallationState,
    InstallationToken,
    OrganizationState,
    Permissions,
    PersonalToken,
    RepositoryState,
    grants,
)
from github_sandbox.model.state import State

CLASSIC_SCOPES: Mapping[tuple[str, Access], frozenset[str]] = {
    ("organization_hooks", "read"): frozenset({"admin:org_hook"}),
    ("organization_hooks", "write"): frozenset({"admin:org_hook"}),
    ("repository_hooks", "read"): frozenset(
        {"repo", "admin:repo_hook", "write:repo_hook", "read:repo_hook"}
    ),
    ("repository_hooks", "write"): frozenset({"repo", "admin:repo_hook", "write:repo_hook"}),
    ("actions_variables", "read"): frozenset({"repo"}),
    ("actions_variables", "write"): frozenset({"repo"}),
    ("metadata", "read"): frozenset({"repo"}),
}
"""For each permission, the scopes of classic tokens that grant it. One of them is enough."""

NEEDED = web.RequestKey("needed", tuple[str, Access])
"""What the requested endpoint needs: a permission and an access level."""

Target = TypeVar("Target", bound=OrganizationState | RepositoryState)


def authenticate(request: web.Request, state: State) -> PersonalToken | InstallationToken:
    """Return the request's token, or raise `ApiError`. It cannot be an App's JSON web token."""
    token = state.tokens.get(sent_token(request) or "")
    if token is None or token.has_expired(state.now()):
        raise ApiError(401, "Bad credentials")
    if isinstance(token, InstallationToken):
        _check_known(token, state)
        check_not_suspended(token.installation)
    return token


def _check_known(token: InstallationToken, state: State) -> None:
    state.token_requests[token.value] += 1
    if state.token_requests[token.value] <= token.lag.requests:
        messages = {401: "Bad credentials", 403: "Resource not accessible by integration"}
        raise ApiError(token.lag.status, messages[token.lag.status])


def check_not_suspended(installation: InstallationState) -> None:
    """Raise `ApiError` if the installation is suspended."""
    if installation.suspended_at:
        raise ApiError(403, "This installation has been suspended")


def authorize(
    request: web.Request,
    state: State,
    target: Target | None,
    *,
    permission: str,
    access: Access,
) -> Target:
    """Return the target if the request's token grants this access to it, or raise `ApiError`.

    None stands for a target that does not exist.
    """
    request[NEEDED] = (permission, access)
    token = authenticate(request, state)
    if target is None:
        raise not_found()
    match token:
        case InstallationToken():
            if not token.covers(target):
                raise not_found()
            _check_permission(token.permissions, permission, access, kind="integration")
        case PersonalToken(needs_sso=True):
            sso = f"https://github.com/orgs/{target.account}/sso?authorization_request=abc"
            raise ApiError(
                403,
                "Resource protected by organization SAML enforcement. You must grant your "
                "Personal Access token access to this organization.",
                headers={"X-GitHub-SSO": f"required; url={sso}"},
            )
        case PersonalToken(scopes=None):
            _check_permission(token.permissions, permission, access, kind="personal access token")
        case PersonalToken(scopes=frozenset() as scopes):
            if not scopes & CLASSIC_SCOPES[permission, access]:
                raise not_found()
    return target


def may_see(token: PersonalToken | InstallationToken, repository: RepositoryState) -> bool:
    """Return whether GitHub shows the holder of a token that a private repository exists."""
    match token:
        case PersonalToken(needs_sso=True):
            return False
        case PersonalToken(scopes=frozenset() as scopes):
            return bool(scopes & CLASSIC_SCOPES["metadata", "read"])
        case InstallationToken() if not token.covers(repository):
            return False
    return grants(token.permissions, "metadata", "read")


def _check_permission(
    permissions: Permissions, permission: str, access: Access, *, kind: str
) -> None:
    if not grants(permissions, permission, access):
        raise ApiError(403, f"Resource not accessible by {kind}")
