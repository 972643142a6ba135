"""Who may do what: GitHub's refusals, in its own words.

Everything a request can be refused with:

* Refusal           answered as JSON, with a status of 400 to 499
"""

from collections.abc import Collection, Mapping, Sequence

from aiohttp import web

from github_sandbox.faults import error_body
from github_sandbox.world import (
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
"""Of the scopes any one will do."""

API_VERSION = "X-GitHub-Api-Version"
"""The header in which a request names the version it wants; without it, it gets the first."""


class Refusal(Exception):  # noqa: N818 - GitHub is not in error when it refuses
    """What is asked is not done, for a reason the asker can act on."""

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
        """Put it as GitHub does."""
        body = error_body(self.status, self.message)
        if self.errors is not None:
            body["errors"] = self.errors
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found(headers: dict[str, str] | None = None) -> Refusal:
    """Refuse as GitHub does whatever is not there, or not for the asker to know of."""
    return Refusal(404, "Not Found", headers=headers)


def sent_token(request: web.Request, schemes: Collection[str] = ("token", "bearer")) -> str | None:
    """Give the token that came with the request."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() in schemes else None


def check_client(request: web.Request, api_versions: Sequence[str]) -> None:
    """Refuse what GitHub does not even look at; the newest version comes last."""
    if not request.headers.get("User-Agent"):
        raise Refusal(
            403,
            "Request forbidden by administrative rules. "
            "Please make sure your request has a User-Agent header.",
        )
    version = request.headers.get(API_VERSION)
    if version is not None and version not in api_versions:
        *older, newest = api_versions
        known = f'"{newest}" (most recent)' + "".join(f' and "{each}"' for each in reversed(older))
        raise Refusal(
            400,
            "Bad Request",
            errors='The version you specified in the "X-GitHub-API-Version" request header, '
            f'"{version}", is not a supported version. The following versions are currently '
            f"supported: {known}.",
        )


def authenticate(request: web.Request, state: State) -> PersonalToken | InstallationToken:
    """Find the token, or refuse. An App's own JSON web token is none."""
    token = state.tokens.get(sent_token(request) or "")
    if token is None:
        raise Refusal(401, "Bad credentials")
    if isinstance(token, InstallationToken):
        if token.expires_at <= state.now():
            raise Refusal(401, "Bad credentials")
        refuse_suspended(token.installation)
    return token


def refuse_suspended(installation: InstallationState) -> None:
    """Refuse whatever is asked for an installation that is suspended."""
    if installation.suspended_at:
        raise Refusal(403, "This installation has been suspended")


def authorize(
    token: PersonalToken | InstallationToken,
    target: OrganizationState | RepositoryState,
    *,
    permission: str,
    access: Access,
) -> None:
    """Refuse what the token may not do to what the target has."""
    match token:
        case InstallationToken():
            if not token.covers(target):
                raise not_found()
            _check_permission(token.permissions, permission, access, by="integration")
        case PersonalToken(needs_sso=True):
            sso = f"https://github.com/orgs/{target.account}/sso?authorization_request=abc"
            raise Refusal(
                403,
                "Resource protected by organization SAML enforcement. You must grant your "
                "Personal Access token access to this organization.",
                headers={"X-GitHub-SSO": f"required; url={sso}"},
            )
        case PersonalToken(scopes=None):
            _check_permission(token.permissions, permission, access, by="personal access token")
        case PersonalToken(scopes=frozenset() as scopes):
            _check_scopes(scopes, CLASSIC_SCOPES[permission, access])


def _check_permission(
    permissions: Permissions, permission: str, access: Access, *, by: str
) -> None:
    if not grants(permissions, permission, access):
        raise Refusal(
            403,
            f"Resource not accessible by {by}",
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
