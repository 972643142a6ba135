"""How requests lead to what answers them, and what they bring along."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from github_sandbox.access import Refusal
from github_sandbox.log import Json

Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route: TypeAlias = tuple[str, str, Answer]
"""A method, a path, and what answers to them."""

ENTERPRISE = "/api/v3"


def base_url(request: web.Request) -> str:
    """Tell where the API is, as the client has it."""
    prefix = ENTERPRISE if request.path.startswith(ENTERPRISE) else ""
    return str(request.url.origin()) + prefix


async def json_object(request: web.Request) -> Json:
    """Read the body, or refuse."""
    try:
        asked = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if not isinstance(asked, dict):
        raise Refusal(400, "Body should be a JSON object")
    return asked
