"""Answers in pages, and what a request may say about them."""

import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from github_sandbox.access import Refusal
from github_sandbox.log import Json


def numbered_page(
    request: web.Request,
    everything: Sequence[Json],
    *,
    under: str | None = None,
    usual: int = 30,
    most: int = 100,
) -> web.Response:
    """Answer with one of the pages `page=1`, `page=2`, and so on."""
    size = per_page(request, usual=usual, most=most)
    number = _number(request, "page", usual=1)
    shown = everything[(number - 1) * size : number * size]
    turn = {"page": number + 1, "per_page": size} if number * size < len(everything) else None
    body = {"total_count": len(everything), under: shown} if under else shown
    return page(request, body, turn)


def page(request: web.Request, body: object, turn: dict[str, Any] | None) -> web.Response:
    """Answer with a page, and a link if `turn` is what leads to the next."""
    response = web.json_response(body)
    if turn:
        response.headers["Link"] = f'<{request.url.update_query(turn)}>; rel="next"'
    return response


def per_page(request: web.Request, *, usual: int = 30, most: int = 100) -> int:
    """Tell how many to put on a page, or refuse. Who asks for too many gets the most there are.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    return min(_number(request, "per_page", usual=usual), most)


def _number(request: web.Request, name: str, *, usual: int) -> int:
    text = request.query.get(name, str(usual))
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    if number < 1:
        raise Refusal(422, f"Invalid request. `{name}` is not a number it can be.")
    return number
