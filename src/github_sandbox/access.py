"""Who may do what: GitHub's refusals, in its own words.

Everything a request can be refused with:

* Refusal           answered as JSON, with a status of 400 to 499
"""

from aiohttp import web

from github_sandbox.faults import error_body
from github_sandbox.world import Access, Token, World

CLASSIC_SCOPES = {"organization_hooks": "admin:org_hook", "actions_variables": "repo"}
API_VERSIONS = {"2022-11-28", "2026-03-10"}


class Refusal(Exception):  # noqa: N818 - GitHub is not in error when it refuses
    """What is asked is not done, for a reason the asker can act on."""

    def __init__(self, status: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def response(self) -> web.Response:
        """Put it as GitHub does."""
        body = error_body(self.status, self.message)
        return web.json_response(body, status=self.status, headers=self.headers)


def not_found(headers: dict[str, str] | None = None) -> Refusal:
    """Refuse as GitHub does whatever is not there, or not for the asker to know of."""
    return Refusal(404, "Not Found", headers=headers)


def sent_token(request: web.Request) -> str | None:
    """Give the token that came with the request."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() in {"token", "bearer"} else None


def check_client(request: web.Request) -> None:
    """Refuse what GitHub does not even look at."""
    if not request.headers.get("User-Agent"):
        raise Refusal(
            403,
            "Request forbidden by administrative rules. "
            "Please make sure your request has a User-Agent header.",
        )
    version = request.headers.get("X-GitHub-Api-Version")
    if version is not None and version not in API_VERSIONS:
        raise Refusal(400, f"{version!r} is not a supported version of the REST API.")


def authenticate(request: web.Request, world: World) -> Token:
    """Find the token, or refuse."""
    token = world.tokens.get(sent_token(request) or "")
    if token is None:
        raise Refusal(401, "Bad credentials")
    return token


def authorize(token: Token, *, owner: str, permission: str, access: Access) -> None:
    """Refuse what the token may not do to what the organization `owner` has."""
    if token.needs_sso:
        sso = f"https://github.com/orgs/{owner}/sso?authorization_request=abc"
        raise Refusal(
            403,
            "Resource protected by organization SAML enforcement. You must grant your "
            "Personal Access token access to this organization.",
            headers={"X-GitHub-SSO": f"required; url={sso}"},
        )
    if token.scopes is None:
        if not token.permits(permission, access):
            raise Refusal(
                403,
                "Resource not accessible by personal access token",
                headers={"X-Accepted-GitHub-Permissions": f"{permission}={access}"},
            )
    elif CLASSIC_SCOPES[permission] not in token.scopes:
        raise not_found(
            {
                "X-OAuth-Scopes": ", ".join(sorted(token.scopes)),
                "X-Accepted-OAuth-Scopes": CLASSIC_SCOPES[permission],
            }
        )
