"""The three kinds of webhook: their delivery logs, and asking for one more attempt."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from types import NoneType
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from requests.utils import parse_header_links

from redeliver import sanitize
from redeliver.core.delivery import Delivery, DeliveryId, Guid, HookId, StatusFilter, Webhook
from redeliver.errors import RefusalError, UnavailableError
from redeliver.github_api.client import Client
from redeliver.github_api.permissions import Permission
from redeliver.github_api.response import parse_time

PER_PAGE = 100
"""The most that GitHub puts on a page."""

MAX_PAGES = 100_000
"""Ten million deliveries in the days that GitHub keeps them, or a log without an end."""


class _Hook:
    """What the three kinds of webhook have in common: their paths and pages differ, no more."""

    def __init__(self, client: Client, path: str, webhook: Webhook, permission: Permission) -> None:
        self.webhook = webhook
        self._client = client
        self._deliveries = f"{path}/deliveries"
        self._permission = permission

    def deliveries(self, listed: StatusFilter = StatusFilter.ALL) -> Iterator[Delivery]:
        """Yield the log or a part, newest first; a page is only asked for when it is needed."""
        parameters: dict[str, str | int] = {"per_page": PER_PAGE}
        if listed is not StatusFilter.ALL:
            parameters["status"] = listed.value
        known = ""
        page: list[Delivery] | None = None
        for number in range(MAX_PAGES):
            response = self._client.request(
                "GET",
                self._deliveries,
                self._permission.to(f"read the deliveries of {self.webhook.name}"),
                expect={HTTPStatus.OK},
                parameters=parameters,
            )
            rows = response.json()
            if not isinstance(rows, list):
                raise _undocumented("a page that is no list")
            last, page = page, [_delivery(row) for row in rows]
            yield from page
            cursor = _next_cursor(response.headers.get("link", ""))
            if cursor is None:
                return
            # A part of the log may have nothing on several pages.
            is_stuck = page == last and (page or listed is StatusFilter.ALL)
            if cursor == known or is_stuck:
                raise _undocumented("pages that lead nowhere")
            # Of all cursors one is kept, ever more seldom another (Brent's way to find a circle).
            if number.bit_count() == 1:
                known = cursor
            parameters["cursor"] = cursor
        raise _undocumented("pages without an end")

    def redeliver(self, delivery: Delivery) -> None:
        """Ask for one more attempt, or raise `RefusalError`.

        GitHub only accepts the request here; what became of it shows in the log later.
        """
        response = self._client.request(
            "POST",
            f"{self._deliveries}/{delivery.id}/attempts",
            self._permission.to(f"redeliver to {self.webhook.name}"),
            expect={
                HTTPStatus.ACCEPTED,
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.NOT_FOUND,
                HTTPStatus.UNPROCESSABLE_ENTITY,
            },
            once=True,
        )
        if response.status != HTTPStatus.ACCEPTED:
            raise RefusalError(response.summary)
        if response.text and not isinstance(response.json(), dict):
            raise response.not_github()


# To read, 'read' would do; but a run that finds something has to redeliver it.
ORGANIZATION = Permission(
    inputs="'org' and 'hook-id'",
    fine_grained="the organization permission 'Webhooks' (read and write)",
    classic_scope="admin:org_hook",
    created_by=" and an owner of the organization as its maker",
)
REPOSITORY = Permission(
    inputs="'repo' and 'hook-id'",
    fine_grained="the repository permission 'Webhooks' (read and write)",
    classic_scope="repo",
)
APP = Permission(inputs="'app-id'")


class OrganizationHook(_Hook):
    """https://docs.github.com/en/rest/orgs/webhooks."""

    def __init__(self, client: Client, web_url: str, org: str, hook_id: HookId) -> None:
        webhook = Webhook(
            name=f"webhook {hook_id} of organization {org}",
            id=hook_id,
            page=f"{web_url}/organizations/{org}/settings/hooks/{hook_id}?tab=deliveries",
        )
        super().__init__(client, f"/orgs/{org}/hooks/{hook_id}", webhook, ORGANIZATION)


class RepositoryHook(_Hook):
    """https://docs.github.com/en/rest/repos/webhooks."""

    def __init__(self, client: Client, web_url: str, repo: str, hook_id: HookId) -> None:
        webhook = Webhook(
            name=f"webhook {hook_id} of repository {repo}",
            id=hook_id,
            page=f"{web_url}/{repo}/settings/hooks/{hook_id}?tab=deliveries",
        )
        super().__init__(client, f"/repos/{repo}/hooks/{hook_id}", webhook, REPOSITORY)


class AppHook(_Hook):
    """https://docs.github.com/en/rest/apps/webhooks."""

    def __init__(self, client: Client, web_url: str) -> None:
        """Ask GitHub for the App's name, which its page goes by."""
        purpose = APP.to("read the name of the GitHub App")
        response = client.request("GET", "/app", purpose, expect={HTTPStatus.OK})
        app = response.json()
        if not isinstance(app, dict) or "id" not in app:
            raise response.not_github()
        name = sanitize.quote_untrusted(str(app.get("slug") or app["id"]))
        webhook = Webhook(
            name=f"webhook of GitHub App {name}",
            id=None,
            page=f"{web_url}{_app_page(app)}",
        )
        super().__init__(client, "/app/hook", webhook, APP)


def _app_page(app: Mapping[str, Any]) -> str:
    slug, owner = app.get("slug"), app.get("owner")
    if not isinstance(slug, str) or not isinstance(owner, dict):
        return "/settings/apps"  # the list of those that its reader may see
    whose = ""
    if owner.get("type") == "Organization":
        whose = f"/organizations/{quote(str(owner.get('login')), safe='')}"
    return f"{whose}/settings/apps/{quote(slug, safe='')}/advanced"


def list_hooks(
    client: Client, *, org: str = "", repo: str = ""
) -> tuple[tuple[HookId, ...], tuple[HookId, ...]]:
    """List the webhooks of an organization or a repository: the active ones, and the others.

    Their URLs are in the answer, and are neither kept nor told.
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
        if len(rows) < PER_PAGE:
            break
        if len(found) == known:  # a list that goes on and on with the same
            raise response.not_github()
    active = tuple(hook_id for hook_id, is_active in found.items() if is_active)
    return active, tuple(hook_id for hook_id in found if hook_id not in active)


def _is_hook(row: Any) -> bool:  # noqa: ANN401 - whatever GitHub sent
    return isinstance(row, dict) and type(row.get("id")) is int and type(row.get("active")) is bool


def _next_cursor(link: str) -> str | None:
    """Return the cursor of the next page.

    Only the cursor is taken from the link, never the address: the token goes nowhere
    but to the host it was given for.
    """
    for target in parse_header_links(link):
        if target.get("rel") == "next":
            try:
                return parse_qs(urlsplit(target["url"]).query)["cursor"][0]
            except (ValueError, KeyError):
                raise _undocumented("a link to the next page without a cursor") from None
    return None


FIELDS: Mapping[str, set[type]] = {
    "id": {int},
    "guid": {str},
    "delivered_at": {str},
    "redelivery": {bool},
    "status": {str},
    "status_code": {int},
    "event": {str},
    "action": {str, NoneType},
}


def _delivery(row: Any) -> Delivery:  # noqa: ANN401 - whatever GitHub sent
    if not isinstance(row, dict):
        raise _undocumented("a row that is no object")
    for field, types in FIELDS.items():
        if type(row.get(field)) not in types:
            raise _undocumented(f"a row whose '{field}' is missing or of another type")
    return Delivery(
        id=DeliveryId(row["id"]),
        guid=Guid(row["guid"]),
        delivered_at=_instant(row["delivered_at"]),
        redelivery=row["redelivery"],
        status=row["status"],
        status_code=row["status_code"],
        event=row["event"],
        action=row.get("action"),
    )


def _instant(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise _undocumented("a 'delivered_at' that is no time with a time zone") from None


def _undocumented(what: str) -> UnavailableError:
    return UnavailableError(
        f"GitHub's delivery log came as its documentation does not describe it: {what}. "
        "Nothing is lost. Check that 'hostname' is right and 'org' or 'repo' "
        "is its present name; if so, please report this as a bug"
    )
