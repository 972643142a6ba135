"""The endpoints that find and list repositories. All repositories are private."""

from collections.abc import Iterable

from aiohttp import web

from github_sandbox.api.accounts import account_json
from github_sandbox.api.authorization import NEEDED, authenticate, may_see
from github_sandbox.api.pagination import numbered_page
from github_sandbox.api.requests import Route, base_url, repository_name
from github_sandbox.errors import ApiError, not_found
from github_sandbox.model.entities import InstallationToken, RepositoryState
from github_sandbox.model.formats import Json, timestamp
from github_sandbox.model.state import State

URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
    "url": "",
}
"""The fields with URLs in the API, and how these continue the repository's own."""

COUNTS = (
    "forks",
    "forks_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "watchers",
    "watchers_count",
)
SWITCHES = (
    "has_discussions",
    "has_downloads",
    "has_issues",
    "has_pages",
    "has_projects",
    "has_wiki",
)


class RepositoryEndpoints:
    """The endpoints of repositories."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes to these endpoints."""
        return [
            ("GET", "/repos/{owner}/{repo}", self._show),
            ("GET", "/orgs/{org}/repos", self._list_of_organization),
            ("GET", "/installation/repositories", self._list_of_installation),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        repository = self._state.find_repository(repository_name(request))
        visible = self._visible(request, [repository] if repository else [])
        if not visible:
            raise not_found()
        # What only this endpoint shows.
        counts = {"network_count": 0, "subscribers_count": 0}
        return web.json_response(self._json(request, visible[0]) | counts)

    async def _list_of_organization(self, request: web.Request) -> web.Response:
        organization = self._state.find_organization(request.match_info["org"])
        owned = self._state.repositories_of(organization.login) if organization else []
        visible = self._visible(request, owned)
        if not organization:
            raise not_found()
        return numbered_page(request, [self._json(request, each) for each in visible])

    async def _list_of_installation(self, request: web.Request) -> web.Response:
        token = authenticate(request, self._state)
        if not isinstance(token, InstallationToken):
            message = "You must authenticate with an installation access token in order to list "
            raise ApiError(403, f"{message}repositories for an installation.")
        covered = self._state.covered_repositories(token.installation)
        visible = self._visible(request, covered)
        items = [self._json(request, each) for each in visible]
        return numbered_page(request, items, key="repositories")

    def _visible(
        self, request: web.Request, repositories: Iterable[RepositoryState]
    ) -> list[RepositoryState]:
        """Return those that the request's token may see, or raise `ApiError` without a token."""
        request[NEEDED] = ("metadata", "read")
        token = authenticate(request, self._state)
        return [repository for repository in repositories if may_see(token, repository)]

    def _json(self, request: web.Request, repository: RepositoryState) -> Json:
        url = f"{base_url(request)}{repository.api_path}"
        page = f"https://github.com/{repository.full_name}"
        time = timestamp(self._state.retention_start)
        return {
            **{field: url + rest for field, rest in URLS.items()},
            **dict.fromkeys(COUNTS, 0),
            **dict.fromkeys(SWITCHES, False),
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": repository.full_name.partition("/")[2],
            "full_name": repository.full_name,
            "owner": account_json(request, self._state, repository.account),
            "private": True,
            "html_url": page,
            "description": None,
            "fork": False,
            "archived": False,
            "disabled": False,
            "default_branch": "main",
            "clone_url": f"{page}.git",
            "git_url": f"git://github.com/{repository.full_name}.git",
            "ssh_url": f"git@github.com:{repository.full_name}.git",
            "svn_url": page,
            "homepage": None,
            "language": None,
            "license": None,
            "mirror_url": None,
            "created_at": time,
            "updated_at": time,
            "pushed_at": time,
        }
