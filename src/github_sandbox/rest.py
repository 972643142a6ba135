"""GitHub's REST API as a whole: what every request goes through, the headers of every answer."""

import time
import uuid
from collections.abc import Sequence
from email.utils import format_datetime
from functools import partial

from aiohttp import web

from github_sandbox.access import (
    API_VERSION,
    Refusal,
    authenticate,
    check_client,
    not_found,
    sent_token,
)
from github_sandbox.app_endpoints import AppEndpoints
from github_sandbox.attempts import Attempts
from github_sandbox.exchanges import write_down
from github_sandbox.faults import Faults, error_body
from github_sandbox.hook_endpoints import HookEndpoints
from github_sandbox.limits import PRIMARY_LIMIT
from github_sandbox.routes import ENTERPRISE, Answer, Route
from github_sandbox.variable_endpoints import VariableEndpoints
from github_sandbox.world import Request, State

RATE_LIMIT = "/rate_limit"

LEAN_RATE_LIMIT = "2026-03-10"
"""The first version of the API whose rate limit does not say the same thing twice."""


class Rest:
    """The API over one state."""

    def __init__(
        self,
        state: State,
        attempts: Attempts,
        faults: Faults,
        *,
        filters: bool,
        api_versions: Sequence[str],
    ) -> None:
        self._state = state
        self._attempts = attempts
        self._faults = faults
        self._filters = filters
        self._api_versions = api_versions

    def application(self) -> web.Application:
        """Build the application: everything at the root, and again as on Enterprise Server."""
        application = web.Application(middlewares=[self._take])
        application.on_response_prepare.append(self._add_headers)
        routes: list[Route] = [
            ("GET", RATE_LIMIT, self._show_rate_limit),
            *HookEndpoints(self._state, self._attempts, filters=self._filters).routes(),
            *VariableEndpoints(self._state).routes(),
            *AppEndpoints(self._state).routes(),
        ]
        for prefix in ("", ENTERPRISE):
            for method, path, answer in routes:
                application.router.add_route(method, prefix + path, answer)
        return application

    @web.middleware
    async def _take(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        with self._state.concurrency:
            return await self._answer(request, handler)

    async def _answer(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        requests = self._state.requests
        place = len(requests)
        path = request.path.removeprefix(ENTERPRISE)
        asked = partial(
            Request,
            method=request.method,
            path=path,
            query=dict(request.query),
            token=sent_token(request),
            api_version=request.headers.get(API_VERSION),
            began=time.monotonic(),
        )
        requests.append(asked())
        now = self._state.now()
        if self._state.primary_limit:
            self._state.primary_limit.reset_if_due(now)
        # Counted here, so that it costs its points whatever goes wrong from here on.
        affordable = self._state.secondary_limit is None or self._state.secondary_limit.spend(
            request.method, now
        )
        said: web.StreamResponse | None = None

        async def work() -> web.StreamResponse:
            nonlocal said
            said = web.Response(status=500)  # for whoever reads it, if this raises
            said = await self._work(request, handler, affordable=affordable)
            return said

        try:
            response = await self._faults.answer(request, path, work)
        finally:
            await write_down(request, path, said)
        if response is None:
            if request.transport:
                request.transport.abort()
            return web.Response()  # nobody is there to read it
        requests[place] = asked(status=response.status)
        # Here, before aiohttp sets it by the real time; a fault may have set its own.
        response.headers.setdefault("Date", format_datetime(self._state.now(), usegmt=True))
        return response

    async def _work(
        self, request: web.Request, answer: Answer, *, affordable: bool
    ) -> web.StreamResponse:
        try:
            check_client(request, self._api_versions)
            self._check_limits(request, affordable=affordable)
            return await answer(request)
        except Refusal as refusal:
            return refusal.response()
        except web.HTTPMethodNotAllowed:
            return not_found().response()
        except web.HTTPException as error:
            return web.json_response(error_body(error.status, error.reason), status=error.status)

    def _check_limits(self, request: web.Request, *, affordable: bool) -> None:
        if not affordable:
            raise Refusal(
                403,
                "You have exceeded a secondary rate limit. "
                "Please wait a few minutes before you try again.",
                headers={"Retry-After": "60"},
            )
        limit = self._state.primary_limit
        if limit is None or request.path.removeprefix(ENTERPRISE) == RATE_LIMIT:
            return
        if not limit.spend(self._state.now()):
            raise Refusal(403, "API rate limit exceeded for user ID 1.")

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        headers = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "x-github-request-id": uuid.uuid4().hex.upper(),
        }
        limit = self._state.primary_limit
        if limit:
            headers |= {
                "x-ratelimit-limit": str(PRIMARY_LIMIT),
                "x-ratelimit-remaining": str(limit.remaining),
                "x-ratelimit-used": str(limit.used),
                "x-ratelimit-reset": str(limit.reset_timestamp),
                "x-ratelimit-resource": "core",
            }
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "github.com"

    async def _show_rate_limit(self, request: web.Request) -> web.Response:
        authenticate(request, self._state)
        limit = self._state.primary_limit
        if limit is None:
            raise Refusal(404, "Rate limiting is not enabled.")
        rate = {
            "limit": PRIMARY_LIMIT,
            "used": limit.used,
            "remaining": limit.remaining,
            "reset": limit.reset_timestamp,
        }
        search = {"limit": 30, "used": 0, "remaining": 30, "reset": limit.reset_timestamp}
        answer: dict[str, object] = {"resources": {"core": rate, "search": search}}
        if request.headers.get(API_VERSION, self._api_versions[0]) < LEAN_RATE_LIMIT:
            answer["rate"] = rate
        return web.json_response(answer)
