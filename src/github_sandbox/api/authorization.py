"""Authenticate API requests, and refuse what a token has no permission for, as GitHub does.

Everything the API refuses a request with:

* ApiError          answered as JSON, with a status of 400 to 499
"""

from collections.abc import Collection, Mapping, Sequence

from aiohttp import web

from github_sandbox.faults import error_body
from github_sandbox.model.state import (
    Access,
    InstallationState,
    InstallationToken,
    OrganizationState,
    Permissions,
    PersonalToken,
    RepositoryState,
    State,
    grants,
)

CLASSIC_SCOPES: Mapping[tuple[str, Access], frozenset[str]] = {
    ("organization_hooks", "read"): frozenset({"admin:org_hook"}),
    ("organization_hooks", "write"): frozenset({"admin:org_hook"}),
    ("repository_hooks", "read"): frozenset(
        {"repo", "admin:repo_hook", "write:repo_hook", "read:repo_hook"}
    ),
    ("repository_hooks", "write"): frozenset({"repo", "admin:repo_hook", "write:repo_hook"}),
    ("actions_variables", "read"): frozenset({"repo"}),
    ("actions_variables", "write"): frozenset({"repo"}),
}
"""The scopes of classic tokens that grant a permission. Any one of them is enough."""

API_VERSION_HEADER = "X-GitHub-Api-Version"
"""The header that selects a version of the API. A request without it gets the oldest one."""


class ApiError(Exception):
    """The API refuses a request."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers

    def response(self) -> web.Response:
        """Return GitHub's response for this error."""
        body = error_body(self.status, self.message)
        if self.errors is not None:
            body["errors"] = self.errors
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found(headers: dict[str, str] | None = None) -> ApiError:
    """Return the error for what does not exist, or must not be visible to this client."""
    return ApiError(404, "Not Found", headers=headers)


def sent_token(request: web.Request, schemes: Collection[str] = ("token", "bearer")) -> str | None:
    """Return the token in the request's Authorization header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() in schemes else None


def check_client_headers(request: web.Request, api_versions: Sequence[str]) -> None:
    """Refuse a request without a user agent, or for an API version that is not in the list.

    The newest version comes last.
    """
    if not request.headers.get("User-Agent"):
        raise ApiError(
            403,
            "Request forbidden by administrative rules. "
            "Please make sure your request has a User-Agent header.",
        )
    version = request.headers.get(API_VERSION_HEADER)
    if version is not None and version not in api_versions:
        *older, newest = api_versions
        supported = f'"{newest}" (most recent)'
        supported += "".join(f' and "{other}"' for other in reversed(older))
        raise ApiError(
            400,
            "Bad Request",
            errors='The version you specified in the "X-GitHub-API-Version" request header, '
            f'"{version}", is not a supported version. The following versions are currently '
            f"supported: {supported}.",
        )


def authenticate(request: web.Request, state: State) -> PersonalToken | InstallationToken:
    """Find the token of the request, or refuse. An App's JSON web token is not accepted."""
    token = state.tokens.get(sent_token(request) or "")
    if token is None:
        raise ApiError(401, "Bad credentials")
    if isinstance(token, InstallationToken):
        if token.expires_at <= state.now():
            raise ApiError(401, "Bad credentials")
        check_not_suspended(token.installation)
    return token


def check_not_suspended(installation: InstallationState) -> None:
    """Refuse requests on behalf of a suspended installation."""
    if installation.suspended_at:
        raise ApiError(403, "This installation has been suspended")


def authorize(
    token: PersonalToken | InstallationToken,
    target: OrganizationState | RepositoryState,
    *,
    permission: str,
    access: Access,
) -> None:
    """Refuse unless the token grants that access to the target."""
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
            _check_scopes(scopes, CLASSIC_SCOPES[permission, access])


def _check_permission(
    permissions: Permissions, permission: str, access: Access, *, kind: str
) -> None:
    if not grants(permissions, permission, access):
        raise ApiError(
            403,
            f"Resource not accessible by {kind}",
            headers={"X-Accepted-GitHub-Permissions": f"{permission}={access}"},
        )


def _check_scopes(scopes: frozenset[str], accepted: frozenset[str]) -> None:
    if not scopes & accepted:
        raise not_found(
            {
                "X-OAuth-Scopes": ", ".join(sorted(scopes)),
                "X-Accepted-OAuth-Scopes": ", ".join(sorted(accepted)),
            }
        )
