"""Record every request and the API's response in a file, for the contract tests.

Nothing is recorded unless an environment variable names a directory.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import web

DIRECTORY_VARIABLE = "GITHUB_SANDBOX_EXCHANGES"
"""The environment variable that names the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, and the API's response before any fault changed or replaced it.

    Header names are in lower case, and the Authorization header is omitted. `status` is None if a
    fault kept the API from handling the request, or if the response is not like GitHub's.
    """

    method: str
    path: str
    """Without `/api/v3`."""
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    status: int | None
    response_headers: dict[str, str]
    response_body: str


_IS_UNLIKE_GITHUB = web.RequestKey("is_unlike_github", bool)


def omit_response(request: web.Request) -> None:
    """Do not record the response to a request, because a test has made it unlike GitHub's."""
    request[_IS_UNLIKE_GITHUB] = True


async def record_exchange(
    request: web.Request, path: str, response: web.StreamResponse | None
) -> None:
    """Append an exchange to this process's file, if recording is on."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if directory is None:
        return
    if request.get(_IS_UNLIKE_GITHUB):
        response = None
    headers = _lower_case_names(request.headers)
    headers.pop("authorization", None)
    exchange = Exchange(
        method=request.method,
        path=path,
        query=dict(request.query),
        headers=headers,
        body=(await request.read()).decode(errors="replace"),
        status=response.status if response else None,
        response_headers=_lower_case_names(response.headers) if response else {},
        response_body=(response.text or "") if isinstance(response, web.Response) else "",
    )
    # One write per line, because several sandboxes of a process append to the same file.
    with (Path(directory) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(asdict(exchange)) + "\n")


def read_exchanges(directory: Path) -> Iterator[Exchange]:
    """Read the exchanges that all processes recorded."""
    for path in sorted(directory.glob("*.jsonl")):
        with path.open() as file:
            for line in file:
                yield Exchange(**json.loads(line))


def _lower_case_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}
