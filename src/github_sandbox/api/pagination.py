"""Respond with one page of a list, and links to other pages."""

import re
from collections.abc import Mapping, Sequence

from aiohttp import web

from github_sandbox.errors import ApiError
from github_sandbox.model.formats import Json

DEFAULT_PAGE_SIZE = 30
MAX_PAGE_SIZE = 100


def numbered_page(
    request: web.Request,
    items: Sequence[Json],
    *,
    key: str | None = None,
    default_size: int = DEFAULT_PAGE_SIZE,
    max_size: int = MAX_PAGE_SIZE,
) -> web.Response:
    """Respond with the page that the parameter `page` selects, under `key` if that is given."""
    size = page_size(request, default_size, max_size)
    number = _positive_number(request, "page", default=1)
    page = items[(number - 1) * size : number * size]
    links = {"next": {"page": number + 1}} if number * size < len(items) else {}
    body = {"total_count": len(items), key: page} if key else page
    return page_response(request, body, links)


def page_response(
    request: web.Request, body: object, links: Mapping[str, Mapping[str, str | int]]
) -> web.Response:
    """Respond with a page and its links: the request with other query parameters."""
    response = web.json_response(body)
    if links:
        response.headers["Link"] = ", ".join(
            f'<{request.url.update_query(parameters)}>; rel="{relation}"'
            for relation, parameters in links.items()
        )
    return response


def page_size(
    request: web.Request, default: int = DEFAULT_PAGE_SIZE, maximum: int = MAX_PAGE_SIZE
) -> int:
    """Return how many items the request wants on a page, or raise `ApiError`.

    Like GitHub, reduce a number that is too large to the maximum.
    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    return min(_positive_number(request, "per_page", default=default), maximum)


def _positive_number(request: web.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, str(default))
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    if number < 1:
        raise ApiError(422, f"Invalid request. `{name}` is not a positive number.")
    return number
