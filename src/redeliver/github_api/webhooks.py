"""The webhooks of organizations, repositories and GitHub Apps: their logs, and a list of all."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from redeliver.core.delivery import HookId, Webhook
from redeliver.github_api.client import Client
from redeliver.github_api.delivery_log import PER_PAGE, DeliveryLog
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
APP = Permission(inputs="'app-id'")


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
    permission, path = (ORGANIZATION, f"/orgs/{org}") if org else (REPOSITORY, f"/repos/{repo}")
    purpose = permission.to(f"list the webhooks of {org or repo}")
    found: dict[HookId, bool] = {}
    number = 0
    while True:
        number += 1
        response = client.request(
            "GET",
            f"{path}/hooks",
            purpose,
            expect={HTTPStatus.OK},
            parameters={"per_page": PER_PAGE, "page": number},
        )
        rows = response.json()
        if not isinstance(rows, list) or not all(map(_is_hook, rows)):
            raise response.not_github()
        known = len(found)
        found |= {HookId(row["id"]): row["active"] for row in rows}
        has_next = 'rel="next"' in response.headers.get("link", "")
        if len(rows) < PER_PAGE and not has_next:
            break
        if len(found) == known:  # the same page again
            raise response.not_github()
    return found


def _is_hook(row: object) -> bool:
    return isinstance(row, dict) and type(row.get("id")) is int and type(row.get("active")) is bool
