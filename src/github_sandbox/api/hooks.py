"""The endpoints of hooks and their deliveries, for organizations, repositories and Apps."""

import re
from collections.abc import Mapping
from typing import cast

from aiohttp import web

from github_sandbox.api.app_tokens import authenticate_app
from github_sandbox.api.authorization import authorize
from github_sandbox.api.pagination import numbered_page, page_response, page_size
from github_sandbox.api.requests import Route, base_url, repository_name
from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.errors import ApiError, not_found
from github_sandbox.faults import IS_SWALLOWED
from github_sandbox.model.delivery import Delivery, Entry, RawRow
from github_sandbox.model.delivery_log import STATUS_FILTERS, DeliveryLog, StatusFilter
from github_sandbox.model.entities import Access, HookState, OrganizationState, RepositoryState
from github_sandbox.model.formats import Json, timestamp
from github_sandbox.model.state import State
from github_sandbox.recording import omit_response

HOOK = "/hooks/{hook:[0-9]{1,20}}"
DELIVERY = "/{delivery:[0-9]{1,20}}"
CURSOR = re.compile("v1_(?P<id>[0-9]{1,20})")


class HookEndpoints:
    """The endpoints of hooks."""

    def __init__(self, state: State, dispatcher: Dispatcher, *, has_status_filter: bool) -> None:
        self._state = state
        self._dispatcher = dispatcher
        self._has_status_filter = has_status_filter

    def routes(self) -> list[Route]:
        """Return the routes to these endpoints."""
        routes: list[Route] = [("GET", "/app/hook/config", self._show_config)]
        for owner in ("/orgs/{org}", "/repos/{owner}/{repo}"):
            routes += [
                ("GET", f"{owner}/hooks", self._list_hooks),
                ("GET", owner + HOOK, self._show_hook),
            ]
        for hook in ("/orgs/{org}" + HOOK, "/repos/{owner}/{repo}" + HOOK, "/app/hook"):
            deliveries = f"{hook}/deliveries"
            routes += [
                ("GET", deliveries, self._list_deliveries),
                ("GET", deliveries + DELIVERY, self._show_delivery),
                ("POST", f"{deliveries}{DELIVERY}/attempts", self._redeliver),
            ]
        return routes

    async def _list_hooks(self, request: web.Request) -> web.Response:
        hooks = self._hooks(request, "read").values()
        return numbered_page(request, [_hook_json(request, hook) for hook in hooks])

    async def _show_hook(self, request: web.Request) -> web.Response:
        return web.json_response(_hook_json(request, self._hook(request, "read")))

    async def _show_config(self, request: web.Request) -> web.Response:
        return web.json_response(_config_json(self._hook(request, "read")))

    async def _list_deliveries(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "read")
        page = hook.log.page(
            page_size(request),
            first=_first_entry(request, hook.log),
            retention_start=self._state.retention_start,
            now=self._state.now(),
            status_filter=_status_filter(request) if self._has_status_filter else None,
        )
        if any(isinstance(entry, RawRow) for entry in page.entries):
            omit_response(request)
        links = {
            relation: {"cursor": f"v1_{first.id}"}
            for relation, first in (("next", page.next_first), ("prev", page.previous_first))
            if first
        }
        return page_response(request, [entry.list_item() for entry in page.entries], links)

    async def _show_delivery(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "read")
        return web.json_response(self._delivery(request, hook).details(hook.url))

    async def _redeliver(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "write")
        event = self._delivery(request, hook).event
        if not request.get(IS_SWALLOWED):
            self._dispatcher.redeliver(hook, event)
        return web.json_response({}, status=202)

    def _hook(self, request: web.Request, access: Access) -> HookState:
        if "hook" in request.match_info:
            hook = self._hooks(request, access).get(int(request.match_info["hook"]))
        else:
            hook = authenticate_app(request, self._state).hook
        if hook is None:
            raise not_found()
        return hook

    def _hooks(self, request: web.Request, access: Access) -> Mapping[int, HookState]:
        owner: OrganizationState | RepositoryState | None
        if "org" in request.match_info:
            owner = self._state.find_organization(request.match_info["org"])
            permission = "organization_hooks"
        else:
            owner = self._state.find_repository(repository_name(request))
            permission = "repository_hooks"
        return authorize(request, self._state, owner, permission=permission, access=access).hooks

    def _delivery(self, request: web.Request, hook: HookState) -> Delivery:
        delivery = hook.log.find(
            int(request.match_info["delivery"]),
            retention_start=self._state.retention_start,
            now=self._state.now(),
        )
        if delivery is None:
            raise not_found()
        return delivery


def _hook_json(request: web.Request, hook: HookState) -> Json:
    url = base_url(request) + hook.api_path
    result = {
        "type": hook.owner.kind.capitalize(),
        "id": hook.id,
        "name": "web",
        "active": hook.active,
        "events": ["*"],
        "config": _config_json(hook),
        "created_at": timestamp(hook.created_at),
        "updated_at": timestamp(hook.updated_at),
        "url": url,
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
    }
    if isinstance(hook.owner, RepositoryState):
        last_response = {"code": None, "status": "unused", "message": None}
        result |= {"test_url": f"{url}/test", "last_response": last_response}
    return result


def _config_json(hook: HookState) -> Json:
    config = {"url": hook.url, "content_type": "json", "insecure_ssl": "0"}
    if hook.secret is not None:
        config["secret"] = "********"
    return config


def _first_entry(request: web.Request, log: DeliveryLog) -> Entry | None:
    """Return the entry of the cursor, with which the page begins."""
    text = request.query.get("cursor")
    if text is None:
        return None
    cursor = CURSOR.fullmatch(text)
    entry = log.find_entry(int(cursor["id"])) if cursor else None
    if entry is None:
        raise ApiError(400, "Invalid request. The cursor is not one of ours.")
    return entry


def _status_filter(request: web.Request) -> StatusFilter | None:
    text = request.query.get("status")
    if text is not None and text not in STATUS_FILTERS:
        raise ApiError(422, "Invalid request. `status` is neither `success` nor `failure`.")
    return cast("StatusFilter | None", text)
