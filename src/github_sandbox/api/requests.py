"""What all endpoints need: the type of a route, and functions that read a request."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from github_sandbox.api.authorization import ApiError
from github_sandbox.model.delivery_log import Json

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route: TypeAlias = tuple[str, str, Handler]
"""A method, a path, and the handler for requests to them."""

ENTERPRISE_PREFIX = "/api/v3"
"""What the paths of the API begin with on GitHub Enterprise Server."""


def base_url(request: web.Request) -> str:
    """Return the API's base URL, as the client of this request uses it."""
    prefix = ENTERPRISE_PREFIX if request.path.startswith(ENTERPRISE_PREFIX) else ""
    return str(request.url.origin()) + prefix


def repository_name(request: web.Request) -> str:
    """Return the full name of the repository in the request's path."""
    return "{owner}/{repo}".format(**request.match_info)


async def read_json_object(request: web.Request) -> Json:
    """Read the body, or refuse."""
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body
