"""Disturbances of a random run: faults at some of its requests, or its end at one of them."""

import asyncio
import signal
import threading
from dataclasses import dataclass, field, replace
from types import FrameType

from aiohttp import web
from hypothesis import strategies as st

from github_sandbox import Dropped, Fault, InvalidBody, LostResponse, Sandbox, Status, Truncated
from github_sandbox.faults import Work
from redeliver import interruption
from redeliver.errors import Interrupted
from tests.support.odd_rows import OddRows

FAULTS: list[Fault] = [
    Status(500),
    Status(502, "Bad Gateway"),
    Dropped(),
    LostResponse(),
    InvalidBody(),
    Truncated(),
    OddRows(),
    Status(401, "Bad credentials"),
    InvalidBody(status=302, headers={"Location": "https://localhost/login"}),
    Status(403, "secondary rate limit", {"Retry-After": "7"}),
    Status(429, "Slow down", {"Retry-After": "90"}),
    Status(429, "Slow down", {"Retry-After": "299"}),
    Status(429, "Slow down", {"Retry-After": "3600"}),
]
REQUESTS = {
    "any request": ("*", ".*"),
    "the log": ("GET", ".*/deliveries"),
    "a redelivery": ("POST", ".*/attempts"),
    "the checkpoint": ("PATCH", ".*/variables/.*"),
}


@dataclass(frozen=True)
class Disturbance:
    """A fault at some requests of a run."""

    fault: Fault
    requests: str
    nth: int
    times: int | None

    def inject(self, github: Sandbox) -> None:
        method, path = REQUESTS[self.requests]
        github.inject(self.fault, method=method, path=path, nth=self.nth, times=self.times)


DISTURBANCES = st.builds(
    Disturbance,
    fault=st.sampled_from(FAULTS),
    requests=st.sampled_from(sorted(REQUESTS)),
    nth=st.integers(1, 4),
    times=st.sampled_from([1, 2, 5, None]),
) | st.builds(
    Disturbance,
    fault=st.just(Status(422, "Cannot")),
    requests=st.just("a redelivery"),
    nth=st.integers(1, 4),
    times=st.just(1),
)


class Killed(BaseException):
    """Ends a run; the program does not catch it."""


@dataclass(frozen=True)
class RunEnd:
    """The end of a run at its nth request, before or after GitHub handles that request."""

    nth: int
    is_handled: bool
    error: type[BaseException]
    requests: str = "any request"
    """Which requests are counted."""
    _has_raised: threading.Event = field(default_factory=threading.Event, init=False, repr=False)

    def inject(self, github: Sandbox) -> None:
        """Inject it. Only the main thread may call this, and then has to do the run itself."""
        end = replace(self)  # this one may have ended an earlier run
        signal.signal(signal.SIGUSR1, end._raise)  # noqa: SLF001 - of the same class
        method, path = REQUESTS[self.requests]
        github.inject(end, method=method, path=path, nth=self.nth)

    async def respond(self, _request: web.Request, work: Work) -> None:
        """Send signals until the main thread, which waits for the response, calls `_raise`."""
        if self.is_handled:
            await work()
        # One signal is not enough: it does not wake a thread that is just about to wait.
        while not self._has_raised.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            await asyncio.sleep(0.01)

    def _raise(self, _number: int, frame: FrameType | None) -> None:
        # Only in a wait: elsewhere, it could be in a finalizer, which ignores it.
        is_waiting = frame is not None and frame.f_code is interruption.get.__code__
        if is_waiting and not self._has_raised.is_set():
            self._has_raised.set()
            raise Interrupted(signal.SIGTERM) if self.error is Interrupted else Killed


RUN_ENDS = st.builds(
    RunEnd,
    nth=st.integers(1, 10),
    is_handled=st.booleans(),
    error=st.sampled_from([Killed, Interrupted]),
)
