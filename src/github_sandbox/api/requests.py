"""Types and functions that all endpoints share: routes, and reading and checking requests."""

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeAlias

from aiohttp import web

from github_sandbox.errors import ApiError
from github_sandbox.model.formats import Json

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route: TypeAlias = tuple[str, str, Handler]
"""A method, a path, and the handler for requests to them."""

ENTERPRISE_PREFIX = "/api/v3"
"""The prefix of the API's paths on GitHub Enterprise Server."""

API_VERSION_HEADER = "X-GitHub-Api-Version"
"""The header that selects a version of the API. A request without it gets the oldest one."""


def sent_token(request: web.Request, schemes: Collection[str] = ("token", "bearer")) -> str | None:
    """Return the token in the request's Authorization header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() in schemes else None


def sent_jwt(request: web.Request) -> bool:
    """Return whether the request comes with an App's JSON web token, valid or not."""
    # A JSON web token begins with a JSON object in Base64.
    return (sent_token(request) or "").startswith("eyJ")


def check_client_headers(request: web.Request, api_versions: Sequence[str]) -> None:
    """Raise `ApiError` if the request has no user agent, or an API version not in `api_versions`.

    These are in order, oldest first.
    """
    if not request.headers.get("User-Agent"):
        raise ApiError(
            403,
            "Request forbidden by administrative rules. "
            "Please make sure your request has a User-Agent header.",
        )
    version = request.headers.get(API_VERSION_HEADER)
    if version is not None and version not in api_versions:
        *older, newest = api_versions
        supported = f'"{newest}" (most recent)'
        supported += "".join(f' and "{other}"' for other in reversed(older))
        raise ApiError(
            400,
            "Bad Request",
            errors='The version you specified in the "X-GitHub-API-Version" request header, '
            f'"{version}", is not a supported version. The following versions are currently '
            f"supported: {supported}.",
        )


def base_url(request: web.Request) -> str:
    """Return the API's base URL as this request's client uses it."""
    prefix = ENTERPRISE_PREFIX if request.path.startswith(ENTERPRISE_PREFIX) else ""
    return str(request.url.origin()) + prefix


def repository_name(request: web.Request) -> str:
    """Return the full name of the repository in the request's path."""
    return "{owner}/{repo}".format(**request.match_info)


async def read_json_object(request: web.Request) -> Json:
    """Read the body as a JSON object, or raise `ApiError`."""
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body
