"""The API of GitHub Apps and of their installations. Their hooks are with the other hooks."""

from aiohttp import web

from github_sandbox.access import not_found
from github_sandbox.apps import authenticate_app, find_installation, issue_token
from github_sandbox.log import Json, timestamp
from github_sandbox.routes import Route, base_url, json_object
from github_sandbox.world import InstallationState, InstallationToken, State

INSTALLATION = "/app/installations/{installation:[0-9]{1,20}}"


class AppEndpoints:
    """What an App can ask about itself."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Tell what is answered here."""
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
                "owner": self._account(request, app.account),
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
        return self._show(request, self._installation(request))

    async def _issue_token(self, request: web.Request) -> web.Response:
        installation = self._installation(request)
        asked = await json_object(request) if request.can_read_body else {}
        token = issue_token(installation, asked, self._state)
        return web.json_response(_token_json(token), status=201)

    async def _show_installation_on_organization(self, request: web.Request) -> web.Response:
        app = authenticate_app(request, self._state)
        organization = self._state.find_organization(request.match_info["org"])
        if organization is None:
            raise not_found()
        return self._show(request, find_installation(app, lambda each: each.covers(organization)))

    async def _show_installation_on_account(self, request: web.Request) -> web.Response:
        app = authenticate_app(request, self._state)
        login = request.match_info["user"].lower()
        # For all that its path says, GitHub answers for organizations as well.
        found = find_installation(app, lambda each: each.account.lower() == login)
        return self._show(request, found)

    async def _show_installation_on_repository(self, request: web.Request) -> web.Response:
        app = authenticate_app(request, self._state)
        repository = self._state.find_repository("{owner}/{repo}".format(**request.match_info))
        if repository is None:
            raise not_found()
        return self._show(request, find_installation(app, lambda each: each.covers(repository)))

    def _installation(self, request: web.Request) -> InstallationState:
        app = authenticate_app(request, self._state)
        installation_id = int(request.match_info["installation"])
        return find_installation(app, lambda each: each.id == installation_id)

    def _show(self, request: web.Request, installation: InstallationState) -> web.Response:
        return web.json_response(self._json(request, installation))

    def _json(self, request: web.Request, installation: InstallationState) -> Json:
        account = self._account(request, installation.account)
        suspended_at = installation.suspended_at
        return {
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

    def _account(self, request: web.Request, login: str) -> Json:
        account = self._state.account(login)
        url = f"{base_url(request)}/users/{login}"
        return {
            **account,
            "node_id": f"U_{account['id']}",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{account['id']}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"https://github.com/{login}",
            "followers_url": f"{url}/followers",
            "following_url": f"{url}/following{{/other_user}}",
            "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events{{/privacy}}",
            "received_events_url": f"{url}/received_events",
            "site_admin": False,
        }


def _token_json(token: InstallationToken) -> Json:
    # Which repositories it is for, GitHub says at great length.
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
