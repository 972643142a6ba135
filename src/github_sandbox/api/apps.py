"""The endpoints of GitHub Apps and their installations, except those of an App's webhook."""

from collections.abc import Callable

from aiohttp import web

from github_sandbox.api.accounts import account_json
from github_sandbox.api.app_tokens import authenticate_app, issue_token
from github_sandbox.api.requests import Route, base_url, read_json_object, repository_name
from github_sandbox.errors import not_found
from github_sandbox.model.entities import (
    InstallationState,
    InstallationToken,
    OrganizationState,
    RepositoryState,
)
from github_sandbox.model.formats import Json, timestamp
from github_sandbox.model.state import State

INSTALLATION = "/app/installations/{installation:[0-9]{1,20}}"


class AppEndpoints:
    """The endpoints that show an App and its installations, and issue tokens."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes to these endpoints."""
        return [
            ("GET", "/app", self._show_app),
            ("GET", INSTALLATION, self._show_installation),
            ("POST", f"{INSTALLATION}/access_tokens", self._issue_token),
            ("GET", "/orgs/{org}/installation", self._show_installation_on_organization),
            ("GET", "/users/{user}/installation", self._show_installation_on_account),
            ("GET", "/repos/{owner}/{repo}/installation", self._show_installation_on_repository),
        ]

    async def _show_app(self, request: web.Request) -> web.Response:
        app = authenticate_app(request, self._state)
        return web.json_response(
            {
                "id": app.id,
                "node_id": f"A_{app.id}",
                "slug": app.slug,
                "client_id": app.client_id,
                "name": app.slug,
                "description": "",
                "owner": account_json(request, self._state, app.account),
                "external_url": "https://github.com",
                "html_url": f"https://github.com/apps/{app.slug}",
                "permissions": dict(app.permissions),
                "events": ["*"],
                "installations_count": len(app.installations),
                "created_at": timestamp(app.created_at),
                "updated_at": timestamp(app.created_at),
            }
        )

    async def _show_installation(self, request: web.Request) -> web.Response:
        return self._installation_response(request, self._installation_by_id(request))

    async def _issue_token(self, request: web.Request) -> web.Response:
        installation = self._installation_by_id(request)
        body = await read_json_object(request) if request.can_read_body else {}
        token = issue_token(installation, body, self._state)
        return web.json_response(_token_json(token), status=201)

    async def _show_installation_on_organization(self, request: web.Request) -> web.Response:
        organization = self._state.find_organization(request.match_info["org"])
        return self._show_installation_that_covers(request, organization)

    async def _show_installation_on_repository(self, request: web.Request) -> web.Response:
        repository = self._state.find_repository(repository_name(request))
        return self._show_installation_that_covers(request, repository)

    async def _show_installation_on_account(self, request: web.Request) -> web.Response:
        # Although its path begins with /users, this endpoint finds organizations as well.
        login = request.match_info["user"].lower()
        installation = self._find(
            request, lambda installation: installation.account.lower() == login
        )
        return self._installation_response(request, installation)

    def _show_installation_that_covers(
        self, request: web.Request, target: OrganizationState | RepositoryState | None
    ) -> web.Response:
        installation = self._find(
            request, lambda installation: target is not None and installation.covers(target)
        )
        return self._installation_response(request, installation)

    def _installation_by_id(self, request: web.Request) -> InstallationState:
        installation_id = int(request.match_info["installation"])
        return self._find(request, lambda installation: installation.id == installation_id)

    def _find(
        self, request: web.Request, matches: Callable[[InstallationState], bool]
    ) -> InstallationState:
        """Return the first matching installation of the requesting App, or raise `ApiError`."""
        app = authenticate_app(request, self._state)
        for installation in app.installations.values():
            if matches(installation):
                return installation
        raise not_found()

    def _installation_response(
        self, request: web.Request, installation: InstallationState
    ) -> web.Response:
        account = account_json(request, self._state, installation.account)
        suspended_at = installation.suspended_at
        return web.json_response(
            {
                "id": installation.id,
                "account": account,
                "repository_selection": _selection(installation.repositories),
                "access_tokens_url": (
                    f"{base_url(request)}/app/installations/{installation.id}/access_tokens"
                ),
                "repositories_url": f"{base_url(request)}/installation/repositories",
                "html_url": f"https://github.com/settings/installations/{installation.id}",
                "app_id": installation.app.id,
                "app_slug": installation.app.slug,
                "target_id": account["id"],
                "target_type": account["type"],
                "permissions": dict(installation.permissions),
                "events": ["*"],
                "single_file_name": None,
                "created_at": timestamp(installation.created_at),
                "updated_at": timestamp(suspended_at or installation.created_at),
                "suspended_at": timestamp(suspended_at) if suspended_at else None,
                "suspended_by": None,
            }
        )


def _token_json(token: InstallationToken) -> Json:
    # GitHub also lists the repositories, each with dozens of fields. No test needs them.
    repositories = token.installation.repositories
    return {
        "token": token.value,
        "expires_at": timestamp(token.expires_at),
        "permissions": dict(token.permissions),
        "repository_selection": _selection(
            repositories if token.repositories is None else token.repositories
        ),
    }


def _selection(repositories: frozenset[str] | None) -> str:
    return "all" if repositories is None else "selected"
