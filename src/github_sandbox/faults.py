"""Faults that a test can inject into the API, and the requests to which each applies."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from github_sandbox.errors import error_body

Work: TypeAlias = Callable[[], Awaitable[web.StreamResponse | None]]
"""Handles the request. If it returns None, the sandbox drops the connection."""


IS_SWALLOWED = web.RequestKey("is_swallowed", bool)
"""Whether a fault swallows the redelivery that is requested."""


class Fault(Protocol):
    """One way in which a request can go wrong."""

    async def respond(self, request: web.Request, work: Work) -> web.StreamResponse | None:
        """Respond, with or without calling `work`. None drops the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """Responds with an error instead of doing the work."""

    code: int
    message: str = "Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """JSON to send instead of GitHub's usual error with `message`."""

    async def respond(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        """Respond with the error."""
        body = self.body if self.body is not None else error_body(self.code, self.message)
        return web.json_response(body, status=self.code, headers=self.headers)


@dataclass(frozen=True, slots=True)
class Swallowed:
    """Accepts or refuses a redelivery as GitHub does, and never makes it."""

    async def respond(self, request: web.Request, work: Work) -> web.StreamResponse | None:
        """Do all of the work but the redelivery itself."""
        request[IS_SWALLOWED] = True
        return await work()


@dataclass(frozen=True, slots=True)
class LostResponse:
    """Does the work, then drops the connection without sending anything."""

    async def respond(self, _request: web.Request, work: Work) -> None:
        """Do the work and discard the response."""
        await work()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Drops the connection before any work is done."""

    async def respond(self, _request: web.Request, _work: Work) -> None:
        """Drop the connection."""


@dataclass(frozen=True, slots=True)
class InvalidBody:
    """Responds as a proxy or website in place of GitHub might, instead of doing the work.

    The response has none of GitHub's headers. A login page has a `Location`, and a status like 302.
    """

    body: bytes = b"<html><body>We are having a problem.</body></html>"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    async def respond(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        """Respond with the body."""
        headers = {"Content-Type": "text/html", "Server": "nginx", **self.headers}
        return ForeignResponse(body=self.body, status=self.status, headers=headers)


class ForeignResponse(web.Response):
    """A response that does not come from GitHub."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """Does the work, then closes the connection in the middle of the response's body."""

    async def respond(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Send half of the body that the headers announce."""
        response = await work()
        if not isinstance(response, web.Response):
            return response  # another fault dropped or truncated it already
        return _TruncatedResponse(response)


class _TruncatedResponse(web.StreamResponse):
    """A response that announces more than it sends."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(status=response.status, headers=response.headers)
        body = response.body if isinstance(response.body, bytes) else b""
        self._half = body[: len(body) // 2]
        # For an empty body the headers announce one byte, which is never sent.
        self.content_length = max(len(body), 1)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._transport = request.transport
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        await self.write(self._half + data)
        if self._transport:
            self._transport.close()  # abort() would discard what was just written


@dataclass(frozen=True, slots=True)
class Delay:
    """Waits for some seconds, then does the work."""

    seconds: float

    async def respond(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Wait and do the work."""
        await asyncio.sleep(self.seconds)
        return await work()


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Does the work, and calls `action` before it, or with `after` between work and response."""

    action: Callable[[], object]
    after: bool = field(default=False, kw_only=True)

    async def respond(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Call the action and do the work, even if the client has disconnected."""
        # The action runs in a thread, because it may send requests to the same sandbox.
        if not self.after:
            await asyncio.to_thread(self.action)
        response = await work()
        if self.after:
            await asyncio.to_thread(self.action)
        return response


@dataclass(slots=True, kw_only=True)
class _Injection:
    fault: Fault
    method: str
    path: re.Pattern[str]
    nth: int
    times: int | None
    matches: int = 0

    def applies(self, method: str, path: str) -> bool:
        """Count the request if it matches, and return whether the fault applies to it."""
        if self.method not in {"*", method} or not self.path.fullmatch(path):
            return False
        self.matches += 1
        end = math.inf if self.times is None else self.nth + self.times
        return self.nth <= self.matches < end


class Faults:
    """All faults that a test has injected."""

    def __init__(self) -> None:
        self._injections: list[_Injection] = []

    def inject(self, fault: Fault, *, method: str, path: str, nth: int, times: int | None) -> None:
        """Apply the fault to `times` matching requests, beginning with the `nth` from now on.

        `times=None` applies it to all of them from the `nth` on.
        """
        self._injections.append(
            _Injection(
                fault=fault,
                method=method.upper(),
                path=re.compile(path),
                nth=nth,
                times=times,
            )
        )

    def clear(self) -> None:
        """Remove all faults."""
        self._injections.clear()

    async def respond(
        self, request: web.Request, path: str, work: Work
    ) -> web.StreamResponse | None:
        """Do the work with all faults that apply. The one injected first is the outermost."""
        applicable = [
            injection.fault
            for injection in self._injections
            if injection.applies(request.method, path)
        ]
        for fault in reversed(applicable):
            work = partial(fault.respond, request, work)
        return await work()
