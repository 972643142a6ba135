"""What the sandbox was asked and what it said to that, written down if the environment wants it."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import web

DIRECTORY = "GITHUB_SANDBOX_EXCHANGES"
"""The variable that names the directory to write to. Without it nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, and what GitHub itself said to it, whatever spoilt that on its way.

    The names of headers are in lower case, and Authorization is not among them. Of a request
    that came to nothing before it was answered, `status` is None.
    """

    method: str
    path: str
    """Without `/api/v3`."""
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    status: int | None
    answer_headers: dict[str, str]
    answer: str


async def write_down(request: web.Request, path: str, said: web.StreamResponse | None) -> None:
    """Add an exchange to the file of this process, if that is wanted."""
    directory = os.environ.get(DIRECTORY)
    if directory is None:
        return
    headers = _in_lower_case(request.headers)
    headers.pop("authorization", None)
    exchange = Exchange(
        method=request.method,
        path=path,
        query=dict(request.query),
        headers=headers,
        body=(await request.read()).decode(errors="replace"),
        status=said.status if said else None,
        answer_headers=_in_lower_case(said.headers) if said else {},
        answer=(said.text or "") if isinstance(said, web.Response) else "",
    )
    # One write, so that what several sandboxes of one process append is not mixed up.
    with (Path(directory) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(asdict(exchange)) + "\n")


def written_down(directory: Path) -> Iterator[Exchange]:
    """Read the exchanges of all processes."""
    for path in sorted(directory.glob("*.jsonl")):
        with path.open() as file:
            for line in file:
                yield Exchange(**json.loads(line))


def _in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}
