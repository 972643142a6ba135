"""What can go wrong between GitHub and who asks it, and when it does."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

Work: TypeAlias = Callable[[], Awaitable[web.StreamResponse | None]]
"""Does what was asked. Gives None if the connection is to be dropped without a reply."""


class Fault(Protocol):
    """One way for a request to go wrong."""

    async def answer(self, request: web.Request, work: Work) -> web.StreamResponse | None:
        """Answer the request, with or without doing the work, or give None to drop it."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """Answers with an error, without doing the work."""

    code: int
    message: str = "Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """JSON to answer with instead of `message`."""

    async def answer(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        """Answer with the error."""
        body = self.body if self.body is not None else error_body(self.code, self.message)
        return web.json_response(body, status=self.code, headers=self.headers)


@dataclass(frozen=True, slots=True)
class LostReply:
    """Does the work, then drops the connection without a byte of reply."""

    async def answer(self, _request: web.Request, work: Work) -> None:
        """Do the work and keep silent about it."""
        await work()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Drops the connection before any work is done."""

    async def answer(self, _request: web.Request, _work: Work) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Answers what a proxy in between might, without doing the work."""

    body: bytes = b"<html><body>We are having a problem.</body></html>"
    content_type: str = "text/html"
    status: int = 200

    async def answer(self, _request: web.Request, _work: Work) -> web.StreamResponse:
        """Answer with the garbage."""
        headers = {"Content-Type": self.content_type}
        return web.Response(body=self.body, status=self.status, headers=headers)


@dataclass(frozen=True, slots=True)
class Truncated:
    """Does the work, then breaks off in the middle of the reply's body."""

    async def answer(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Send half of what the headers announce."""
        whole = await work()
        if not isinstance(whole, web.Response):
            return whole  # another fault was here first, and left nothing to cut
        return _CutShort(whole)


class _CutShort(web.StreamResponse):
    """A reply that breaks off."""

    def __init__(self, whole: web.Response) -> None:
        super().__init__(status=whole.status, headers=whole.headers)
        body = whole.body if isinstance(whole.body, bytes) else b""
        self._half = body[: len(body) // 2]
        # If there is no body to cut, one more byte than there is is announced all the same.
        self.content_length = max(len(body), 1)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._transport = request.transport
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        await self.write(self._half + data)
        if self._transport:
            self._transport.close()  # unlike abort(), after what was written


@dataclass(frozen=True, slots=True)
class Delay:
    """Waits, then does the work."""

    seconds: float

    async def answer(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Do the work later."""
        await asyncio.sleep(self.seconds)
        return await work()


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Does the work, but has something else happen just before it, or just before the reply."""

    action: Callable[[], object]
    after: bool = field(default=False, kw_only=True)

    async def answer(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Do the work and the action; whether the client is still there makes no difference."""
        # In a thread, so that the action may ask and use this very sandbox.
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
    seen: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Count the request if it matches, and tell whether it is one to spoil."""
        if self.method not in {"*", method} or not self.path.fullmatch(path):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)


class Faults:
    """The faults to come."""

    def __init__(self) -> None:
        self._injections: list[_Injection] = []

    def inject(self, fault: Fault, *, method: str, path: str, nth: int, times: int | None) -> None:
        """Spoil the `nth` matching request from now on, and those after it, `times` in all."""
        self._injections.append(
            _Injection(
                fault=fault,
                method=method.upper(),
                path=re.compile(path),
                nth=nth,
                times=times,
            )
        )

    def mend(self) -> None:
        """Spoil nothing any more."""
        self._injections.clear()

    async def answer(
        self, request: web.Request, path: str, work: Work
    ) -> web.StreamResponse | None:
        """Do the work, spoilt by every fault that is due; the first injected is the outermost."""
        due = [each.fault for each in self._injections if each.strikes(request.method, path)]
        for fault in reversed(due):
            work = partial(fault.answer, request, work)
        return await work()


def error_body(status: int, message: str, documentation: str = "") -> dict[str, str]:
    """Give the body of GitHub's errors."""
    return {
        "message": message,
        "documentation_url": f"https://docs.github.com/rest{documentation}",
        "status": str(status),
    }
