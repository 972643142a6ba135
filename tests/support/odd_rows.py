"""A fault that spoils the rows of a list."""

import json
from dataclasses import dataclass

from aiohttp import web

from github_sandbox.faults import Work


@dataclass(frozen=True, slots=True)
class OddRows:
    """Does the work. If the response is a list, makes its first row odd, and adds odd rows.

    The first row still tells whether its delivery succeeded. Otherwise, an event could be repeated
    that only this row shows as delivered.
    """

    async def respond(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Respond with the spoiled list."""
        response = await work()
        if not isinstance(response, web.Response) or not response.text:
            return response
        rows = json.loads(response.text)
        if isinstance(rows, list) and rows:
            rows = [None, rows[0] | {"event": None}, {"id": "x"}, *rows[1:], []]
            headers = {"Link": response.headers.get("Link", "")}
            return web.json_response(rows, status=response.status, headers=headers)
        return response
