"""Accounts, which own Apps, installations and repositories, as the API shows them."""

from aiohttp import web

from github_sandbox.api.requests import base_url
from github_sandbox.model.formats import Json
from github_sandbox.model.state import State


def account_json(request: web.Request, state: State, login: str) -> Json:
    """Return the account with that login: an organization if there is one, otherwise a user."""
    account = state.account(login)
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
