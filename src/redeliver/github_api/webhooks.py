"""The webhooks of organizations, repositories and GitHub Apps: their logs, and a list of all."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from redeliver.core.delivery import HookId, Webhook
from redeliver.core.url_pattern import UrlPattern
from redeliver.errors import AccessError
from redeliver.github_api.client import Client
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.numbered_list import read_list
from redeliver.github_api.permissions import Permission
from redeliver.sanitize import quote_untrusted

# Reading needs only 'read', but a run that finds a failure has to redeliver it.
ORGANIZATION = Permission(
    inputs="'org' and 'hook-id'",
    fine_grained="the organization permission 'Webhooks' (read and write)",
    classic_scope="admin:org_hook",
    created_by=" and must be created by an owner of the organization",
)
REPOSITORY = Permission(
    inputs="'repo' and 'hook-id'",
    fine_grained="the repository permission 'Webhooks' (read and write)",
    classic_scope="repo",
)
APP = Permission(inputs="'client-id'")


def organization_hook(
    client: Client, web_url: str, org: str, hook_id: HookId, *, is_active: bool = True
) -> DeliveryLog:
    """Return an organization's webhook: https://docs.github.com/en/rest/orgs/webhooks."""
    webhook = Webhook(
        name=f"webhook {hook_id} of organization {org}",
        id=hook_id,
        page=f"{web_url}/organizations/{org}/settings/hooks/{hook_id}?tab=deliveries",
        is_active=is_active,
    )
    return DeliveryLog(client, f"/orgs/{org}/hooks/{hook_id}", webhook, ORGANIZATION)


def repository_hook(
    client: Client, web_url: str, repo: str, hook_id: HookId, *, is_active: bool = True
) -> DeliveryLog:
    """Return a repository's webhook: https://docs.github.com/en/rest/repos/webhooks."""
    webhook = Webhook(
        name=f"webhook {hook_id} of repository {repo}",
        id=hook_id,
        page=f"{web_url}/{repo}/settings/hooks/{hook_id}?tab=deliveries",
        is_active=is_active,
    )
    return DeliveryLog(client, f"/repos/{repo}/hooks/{hook_id}", webhook, REPOSITORY)


def app_hook(client: Client, web_url: str) -> DeliveryLog:
    """Return the webhook of the App that `client` authenticates as.

    Requests the App's name, which is part of the URL of its settings page:
    https://docs.github.com/en/rest/apps/webhooks.
    """
    purpose = APP.to("read the name of the GitHub App")
    response = client.request("GET", "/app", purpose, expect={HTTPStatus.OK})
    app = response.json()
    if not isinstance(app, dict) or "id" not in app:
        raise response.not_github()
    name = quote_untrusted(str(app.get("slug") or app["id"]))
    page = f"{web_url}{_app_page(app)}"
    webhook = Webhook(name=f"webhook of GitHub App {name}", id=None, page=page)
    return DeliveryLog(client, "/app/hook", webhook, APP)


def _app_page(app: Mapping[str, Any]) -> str:
    slug, owner = app.get("slug"), app.get("owner")
    if not isinstance(slug, str) or not isinstance(owner, dict):
        return "/settings/apps"  # the list of Apps that its reader may see
    owner_path = ""
    if owner.get("type") == "Organization":
        owner_path = f"/organizations/{quote(str(owner.get('login')), safe='')}"
    return f"{owner_path}/settings/apps/{quote(slug, safe='')}/advanced"


def list_hooks(client: Client, *, org: str = "", repo: str = "") -> dict[HookId, bool]:
    """List the webhooks of an organization or a repository, and whether each is active.

    The response has their URLs, which may be secret; they are neither kept nor printed.
    """
    return {HookId(row["id"]): row["active"] for row in _rows(client, org=org, repo=repo)}


def find_hook(
    client: Client, url: UrlPattern, *, org: str = "", repo: str = ""
) -> dict[HookId, bool]:
    """Find the only webhook whose payload URL matches, and whether it is active.

    Raise `AccessError` if there is none, or if there are several. No URL is kept or printed.
    """
    rows = _rows(client, org=org, repo=repo)
    found = {HookId(row["id"]): row["active"] for row in rows if _is_at(url, row)}
    if len(found) == 1:
        return found
    owner = f"organization {org}" if org else f"repository {repo}"
    if found:
        ids = ", ".join(map(str, found))
        raise AccessError(
            f"the payload URLs of {len(found)} webhooks of {owner} match 'hook-url': their ids "
            f"are {ids}. Make the pattern more exact, or set 'hook-id' instead"
        )
    many = f"none of the {len(rows)} webhooks" if len(rows) > 1 else "no webhook"
    raise AccessError(
        f"{many} of {owner} has a payload URL that matches 'hook-url'. Compare the pattern with "
        "the URLs in the owner's settings, under Webhooks, without scheme, user name, query and #"
    )


def _is_at(url: UrlPattern, row: Mapping[str, Any]) -> bool:
    config = row.get("config")
    return isinstance(config, dict) and url.matches(config.get("url"))


def _rows(client: Client, *, org: str, repo: str) -> list[Mapping[str, Any]]:
    """List the webhooks as GitHub shows them, with their payload URLs."""
    permission, path = (ORGANIZATION, f"/orgs/{org}") if org else (REPOSITORY, f"/repos/{repo}")
    purpose = permission.to(f"list the webhooks of {org or repo}")
    return read_list(client, f"{path}/hooks", purpose, types={"id": int, "active": bool})
