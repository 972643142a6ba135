"""Read a whole list that GitHub has in numbered pages.

https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from redeliver.github_api.client import Client
from redeliver.github_api.permissions import Purpose

PER_PAGE = 100
"""The most rows that GitHub puts on a page."""


def read_list(
    client: Client, path: str, purpose: Purpose, *, types: Mapping[str, type], key: str = ""
) -> list[Mapping[str, Any]]:
    """Return the rows of the list at `path`, each once, or raise as `Client.request` does.

    `types` has the fields that every row needs, `id` among them, and their types in JSON. `key` is
    the field of a page that has its rows; it is empty if the page itself is the list of rows.
    """
    found: dict[int, Mapping[str, Any]] = {}
    number = 0
    while True:
        number += 1
        response = client.request(
            "GET",
            path,
            purpose,
            expect={HTTPStatus.OK},
            parameters={"per_page": PER_PAGE, "page": number},
        )
        rows = response.field(key, list) if key else response.json()
        if not isinstance(rows, list) or not all(_has(row, types) for row in rows):
            raise response.not_github()
        known = len(found)
        found |= {row["id"]: row for row in rows}
        has_next = 'rel="next"' in response.headers.get("link", "")
        if len(rows) < PER_PAGE and not has_next:
            return list(found.values())
        if len(found) == known:  # the same page again
            raise response.not_github()


def _has(row: object, types: Mapping[str, type]) -> bool:
    return isinstance(row, dict) and all(type(row.get(name)) is t for name, t in types.items())
