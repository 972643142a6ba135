"""GitHub's REST API as one web application: routes, rate limits, faults and common headers."""

import time
from collections.abc import Sequence
from dataclasses import replace
from email.utils import format_datetime

from aiohttp import web

from github_sandbox.api.apps import AppEndpoints
from github_sandbox.api.authorization import authenticate
from github_sandbox.api.headers import (
    CONSTANT_HEADERS,
    add_cache_headers,
    new_request_id,
    rate_limit_headers,
    token_headers,
)
from github_sandbox.api.hooks import HookEndpoints
from github_sandbox.api.repositories import RepositoryEndpoints
from github_sandbox.api.requests import (
    API_VERSION_HEADER,
    ENTERPRISE_PREFIX,
    Handler,
    Route,
    check_client_headers,
    sent_jwt,
    sent_token,
)
from github_sandbox.api.variables import VariableEndpoints
from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.errors import ApiError, error_body, not_found
from github_sandbox.faults import Faults, ForeignResponse
from github_sandbox.model.rate_limits import PRIMARY_LIMIT
from github_sandbox.model.state import Request, State
from github_sandbox.recording import record_exchange

RATE_LIMIT_PATH = "/rate_limit"

VERSION_WITHOUT_RATE = "2026-03-10"
"""Since this API version, the response to /rate_limit lacks `rate`, a copy of `resources.core`."""


class RestApi:
    """The REST API of one sandbox."""

    def __init__(
        self,
        state: State,
        dispatcher: Dispatcher,
        faults: Faults,
        *,
        has_status_filter: bool,
        enterprise_version: str | None,
        api_versions: Sequence[str],
    ) -> None:
        self._state = state
        self._dispatcher = dispatcher
        self._faults = faults
        self._has_status_filter = has_status_filter
        self._enterprise_version = enterprise_version
        self._api_versions = api_versions

    def application(self) -> web.Application:
        """Build the application. It serves every route twice: at the root, and under `/api/v3`."""
        application = web.Application(middlewares=[self._count_concurrency])
        application.on_response_prepare.append(self._add_headers)
        hooks = HookEndpoints(
            self._state, self._dispatcher, has_status_filter=self._has_status_filter
        )
        routes: list[Route] = [
            ("GET", RATE_LIMIT_PATH, self._show_rate_limit),
            *hooks.routes(),
            *VariableEndpoints(self._state).routes(),
            *AppEndpoints(self._state).routes(),
            *RepositoryEndpoints(self._state).routes(),
        ]
        for prefix in ("", ENTERPRISE_PREFIX):
            for method, path, handler in routes:
                application.router.add_route(method, prefix + path, handler)
        return application

    @web.middleware
    async def _count_concurrency(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        with self._state.concurrency:
            return await self._handle(request, handler)

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Respond to a request, with the injected faults, and remember and record it."""
        path = request.path.removeprefix(ENTERPRISE_PREFIX)
        remembered = Request(
            method=request.method,
            path=path,
            query=dict(request.query),
            token=sent_token(request),
            api_version=request.headers.get(API_VERSION_HEADER),
            began=time.monotonic(),
        )
        index = len(self._state.requests)
        self._state.requests.append(remembered)
        now = self._state.now()
        if self._state.primary_limit:
            self._state.primary_limit.reset_if_due(now)
        # A request costs its points even if a fault keeps the API from handling it.
        secondary_limit = self._state.secondary_limit
        has_points = secondary_limit is None or secondary_limit.spend(request.method, now)
        api_response: web.StreamResponse | None = None

        async def work() -> web.StreamResponse:
            nonlocal api_response
            api_response = web.Response(status=500)  # recorded if the next line raises
            api_response = await self._respond(request, handler, has_points=has_points)
            add_cache_headers(request, api_response)
            return api_response

        try:
            response = await self._faults.respond(request, path, work)
        finally:
            await record_exchange(request, path, api_response)
        if response is None:
            if request.transport:
                request.transport.abort()
            return web.Response()  # aiohttp needs one, although the connection is closed
        self._state.requests[index] = replace(remembered, status=response.status)
        # A fault may have set a date. Without a Date header, aiohttp would add the real time.
        response.headers.setdefault("Date", format_datetime(self._state.now(), usegmt=True))
        return response

    async def _respond(
        self, request: web.Request, handler: Handler, *, has_points: bool
    ) -> web.StreamResponse:
        try:
            check_client_headers(request, self._api_versions)
            self._check_rate_limits(request, has_points=has_points)
            return await handler(request)
        except ApiError as error:
            return error.response()
        except web.HTTPMethodNotAllowed:
            # GitHub responds with 404 to a method that a path does not have.
            return not_found().response()
        except web.HTTPException as error:
            return web.json_response(error_body(error.status, error.reason), status=error.status)

    def _check_rate_limits(self, request: web.Request, *, has_points: bool) -> None:
        if not has_points:
            raise ApiError(
                403,
                "You have exceeded a secondary rate limit. "
                "Please wait a few minutes before you try again.",
                headers={"Retry-After": "60"},
            )
        limit = self._state.primary_limit
        is_free = request.path.removeprefix(ENTERPRISE_PREFIX) == RATE_LIMIT_PATH
        if limit is None or is_free or sent_jwt(request):
            return
        if not limit.spend(self._state.now()):
            raise ApiError(403, "API rate limit exceeded for user ID 1.")

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        if isinstance(response, ForeignResponse):
            return
        headers = {
            **CONSTANT_HEADERS,
            "x-github-api-version-selected": self._api_version(request),
            "x-github-request-id": new_request_id(self._state.now()),
            **token_headers(request, self._state),
        }
        if self._enterprise_version is None:
            headers["x-github-edge-region"] = "fra"
        else:
            headers["x-github-enterprise-version"] = self._enterprise_version
        # GitHub neither counts requests with an App's JSON web token, nor shows the limit to them.
        if self._state.primary_limit and not sent_jwt(request):
            headers |= rate_limit_headers(self._state.primary_limit)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "github.com"

    async def _show_rate_limit(self, request: web.Request) -> web.Response:
        authenticate(request, self._state)
        limit = self._state.primary_limit
        if limit is None:
            raise ApiError(404, "Rate limiting is not enabled.")
        core = {
            "limit": PRIMARY_LIMIT,
            "used": limit.used,
            "remaining": limit.remaining,
            "reset": limit.reset_timestamp,
        }
        search = {"limit": 30, "used": 0, "remaining": 30, "reset": limit.reset_timestamp}
        body: dict[str, object] = {"resources": {"core": core, "search": search}}
        if self._api_version(request) < VERSION_WITHOUT_RATE:
            body["rate"] = core
        return web.json_response(body)

    def _api_version(self, request: web.Request) -> str:
        """Return the version that the request selects, or the oldest one."""
        oldest = self._api_versions[0]
        version = request.headers.get(API_VERSION_HEADER, oldest)
        return version if version in self._api_versions else oldest
