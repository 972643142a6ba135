"""GitHub's REST API: routes, paging, the headers of every answer."""

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Sequence
from email.utils import format_datetime
from functools import partial
from typing import Any, TypeAlias, cast

from aiohttp import web

from github_sandbox.access import (
    Refusal,
    authenticate,
    authorize,
    check_client,
    not_found,
    sent_token,
)
from github_sandbox.attempts import Attempts
from github_sandbox.faults import Faults, error_body
from github_sandbox.log import CODES, Cursor, Json, Outcome, Row, timestamp
from github_sandbox.variables import Variables
from github_sandbox.world import (
    PRIMARY_LIMIT,
    Access,
    OrganizationHook,
    Request,
    World,
)

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

ENTERPRISE = "/api/v3"
RATE_LIMIT = "/rate_limit"
HOOKS = "/orgs/{org}/hooks"
HOOK = HOOKS + r"/{hook:[0-9]{1,20}}"
DELIVERIES = HOOK + "/deliveries"
DELIVERY = DELIVERIES + r"/{delivery:[0-9]{1,20}}"
VARIABLES = "/repos/{owner}/{repo}/actions/variables"
VARIABLE = VARIABLES + "/{variable}"


class Rest:
    """The API over one world."""

    def __init__(self, world: World, attempts: Attempts, faults: Faults) -> None:
        self._world = world
        self._attempts = attempts
        self._faults = faults

    def application(self) -> web.Application:
        """Build the application: everything at the root, and again as on Enterprise Server."""
        application = web.Application(middlewares=[self._take])
        application.on_response_prepare.append(self._add_headers)
        for prefix in ("", ENTERPRISE):
            application.add_routes(
                [
                    web.get(prefix + RATE_LIMIT, self._show_rate_limit, allow_head=False),
                    web.get(prefix + HOOKS, self._list_hooks, allow_head=False),
                    web.get(prefix + HOOK, self._show_hook, allow_head=False),
                    web.get(prefix + DELIVERIES, self._list_deliveries, allow_head=False),
                    web.get(prefix + DELIVERY, self._show_delivery, allow_head=False),
                    web.post(prefix + DELIVERY + "/attempts", self._redeliver),
                    web.get(prefix + VARIABLES, self._list_variables, allow_head=False),
                    web.post(prefix + VARIABLES, self._create_variable),
                    web.get(prefix + VARIABLE, self._show_variable, allow_head=False),
                    web.patch(prefix + VARIABLE, self._update_variable),
                ]
            )
        return application

    # What every request goes through.

    @web.middleware
    async def _take(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        requests = self._world.requests
        place = len(requests)
        path = request.path.removeprefix(ENTERPRISE)
        asked = partial(
            Request,
            method=request.method,
            path=path,
            query=dict(request.query),
            token=sent_token(request),
        )
        requests.append(asked())
        self._world.limit.renew(self._world.now())
        response = await self._faults.answer(request, path, partial(self._work, request, handler))
        if response is None:
            if request.transport:
                request.transport.abort()
            return web.Response()  # nobody is there to read it
        requests[place] = asked(status=response.status)
        # Here, before aiohttp sets it by the real time; a fault may have set its own.
        response.headers.setdefault("Date", format_datetime(self._world.now(), usegmt=True))
        return response

    async def _work(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        try:
            check_client(request)
            if request.path.removeprefix(ENTERPRISE) != RATE_LIMIT:
                self._spend_one()
            return await answer(request)
        except Refusal as refusal:
            return refusal.response()
        except web.HTTPMethodNotAllowed:
            return not_found().response()
        except web.HTTPException as error:
            return web.json_response(error_body(error.status, error.reason), status=error.status)

    def _spend_one(self) -> None:
        if not self._world.limit.spend(self._world.now()):
            raise Refusal(403, "API rate limit exceeded for user ID 1.")

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        limit = self._world.limit
        for name, value in {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "x-github-request-id": uuid.uuid4().hex.upper(),
            "x-ratelimit-limit": str(PRIMARY_LIMIT),
            "x-ratelimit-remaining": str(limit.remaining),
            "x-ratelimit-used": str(limit.used),
            "x-ratelimit-reset": str(limit.reset),
            "x-ratelimit-resource": "core",
        }.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "github.com"

    # The rate limit.

    async def _show_rate_limit(self, request: web.Request) -> web.Response:
        authenticate(request, self._world)
        limit = self._world.limit
        rate = {
            "limit": PRIMARY_LIMIT,
            "used": limit.used,
            "remaining": limit.remaining,
            "reset": limit.reset,
        }
        return web.json_response({"resources": {"core": rate}, "rate": rate})

    # Hooks.

    async def _list_hooks(self, request: web.Request) -> web.Response:
        organization = self._authorized_hooks(request, "read")
        return _numbered_page(request, [_hook_json(request, hook) for hook in organization])

    async def _show_hook(self, request: web.Request) -> web.Response:
        return web.json_response(_hook_json(request, self._hook(request, "read")))

    async def _list_deliveries(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "read")
        size = _per_page(request, most=100)
        rows, more = hook.log.page(
            kept_from=self._world.kept_from,
            shown_by=self._world.now(),
            size=size,
            cursor=_cursor(request),
            outcome=_outcome(request),
        )
        turn = {"cursor": str(more), "per_page": size} if more else None
        return _page(request, [row.listed() for row in rows], turn)

    async def _show_delivery(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "read")
        return web.json_response(self._row(request, hook).in_full(hook.url))

    async def _redeliver(self, request: web.Request) -> web.Response:
        hook = self._hook(request, "write")
        self._attempts.redelivery(hook, self._row(request, hook).event)
        return web.json_response({}, status=202)

    def _authorized_hooks(self, request: web.Request, access: Access) -> Sequence[OrganizationHook]:
        token = authenticate(request, self._world)
        organization = self._world.organization(request.match_info["org"])
        if organization is None:
            raise not_found()
        authorize(token, owner=organization.login, permission="organization_hooks", access=access)
        return list(organization.hooks.values())

    def _hook(self, request: web.Request, access: Access) -> OrganizationHook:
        hook_id = int(request.match_info["hook"])
        for hook in self._authorized_hooks(request, access):
            if hook.id == hook_id:
                return hook
        raise not_found()

    def _row(self, request: web.Request, hook: OrganizationHook) -> Row:
        delivery_id = int(request.match_info["delivery"])
        row = hook.log.row(delivery_id, kept_from=self._world.kept_from, shown_by=self._world.now())
        if row is None:
            raise not_found()
        return row

    # Variables.

    async def _list_variables(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "read").all()
        return _numbered_page(request, variables, under="variables", usual=10, most=30)

    async def _show_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "read")
        return web.json_response(variables.show(request.match_info["variable"]))

    async def _create_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "write")
        variables.create(await _json(request), now=self._world.now())
        return web.json_response({}, status=201)

    async def _update_variable(self, request: web.Request) -> web.Response:
        variables = self._variables(request, "write")
        name = request.match_info["variable"]
        variables.update(name, await _json(request), now=self._world.now())
        return web.Response(status=204)

    def _variables(self, request: web.Request, access: Access) -> Variables:
        token = authenticate(request, self._world)
        owner, name = request.match_info["owner"], request.match_info["repo"]
        repository = self._world.repository(f"{owner}/{name}")
        if repository is None:
            raise not_found()
        authorize(token, owner=owner, permission="actions_variables", access=access)
        return Variables(repository)


def _hook_json(request: web.Request, hook: OrganizationHook) -> Json:
    prefix = ENTERPRISE if request.path.startswith(ENTERPRISE) else ""
    url = str(request.url.origin()) + prefix + f"/orgs/{hook.organization.login}/hooks/{hook.id}"
    config = {"url": hook.url, "content_type": "json", "insecure_ssl": "0"}
    if hook.secret is not None:
        config["secret"] = "********"
    return {
        "type": "Organization",
        "id": hook.id,
        "name": "web",
        "active": True,
        "events": ["*"],
        "config": config,
        "created_at": timestamp(hook.created_at),
        "updated_at": timestamp(hook.created_at),
        "url": url,
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
    }


def _numbered_page(
    request: web.Request,
    everything: Sequence[Json],
    *,
    under: str | None = None,
    usual: int = 30,
    most: int = 100,
) -> web.Response:
    """Answer with one of the pages `page=1`, `page=2`, and so on."""
    size = _per_page(request, usual=usual, most=most)
    number = _number(request, "page", usual=1)
    page = everything[(number - 1) * size : number * size]
    turn = {"page": number + 1, "per_page": size} if number * size < len(everything) else None
    body = {"total_count": len(everything), under: page} if under else page
    return _page(request, body, turn)


def _page(request: web.Request, body: object, turn: dict[str, Any] | None) -> web.Response:
    """Answer with a page, and a link if `turn` is what leads to the next."""
    response = web.json_response(body)
    if turn:
        response.headers["Link"] = f'<{request.url.update_query(turn)}>; rel="next"'
    return response


def _per_page(request: web.Request, *, usual: int = 30, most: int) -> int:
    return _number(request, "per_page", usual=usual, most=most)


def _number(request: web.Request, name: str, *, usual: int, most: int | None = None) -> int:
    text = request.query.get(name, str(usual))
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    if number < 1 or (most and number > most):
        raise Refusal(422, f"Invalid request. `{name}` is not a number it can be.")
    return number


def _cursor(request: web.Request) -> Cursor | None:
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise Refusal(400, "Invalid request. The cursor is not one of ours.") from error


def _outcome(request: web.Request) -> Outcome | None:
    text = request.query.get("status")
    if text is not None and text not in CODES:
        raise Refusal(422, "Invalid request. `status` is neither `success` nor `failure`.")
    return cast("Outcome | None", text)


async def _json(request: web.Request) -> Json:
    try:
        asked = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if not isinstance(asked, dict):
        raise Refusal(400, "Body should be a JSON object")
    return asked
