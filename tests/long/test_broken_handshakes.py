"""A handshake or a CONNECT that fails at any request changes nothing: nothing was sent."""

import ssl
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from aiohttp import web

from github_sandbox import (
    BrokenHandshake,
    BrokenHandshakes,
    ClosedHandshake,
    ForeignCertificate,
    Meanwhile,
    PlainHttp,
    ResetHandshake,
    TlsAlert,
)
from github_sandbox.faults import Work
from tests.support.certificates import InHouseAuthority
from tests.support.outage import LATER, METHODS, past_outage

BROKEN: list[BrokenHandshake] = [
    ClosedHandshake(),
    ResetHandshake(),
    TlsAlert(40),
    PlainHttp(),
    ForeignCertificate(InHouseAuthority.create().server_context()),
]


@dataclass(frozen=True, slots=True)
class ClosesConnection:
    """Does the work, and has the client open another connection for its next request."""

    async def respond(self, _request: web.Request, work: Work) -> web.StreamResponse | None:
        """Respond, and close the connection."""
        response = await work()
        if response:
            response.force_close()
        return response


@pytest.fixture(autouse=True)
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))


@pytest.mark.parametrize("kind", METHODS)
def test_a_broken_handshake_at_any_request_changes_nothing(kind: str, tls: ssl.SSLContext) -> None:
    numbers = range(1, len(METHODS[kind]) + 1)
    for number, broken in zip(numbers, cycle(BROKEN), strict=False):
        with past_outage(kind, tls=tls) as outage, BrokenHandshakes(outage.github.url) as front:
            outage.github.inject(ClosesConnection(), times=None)
            if number == 1:
                front.break_next(broken)
            else:
                break_next = partial(front.break_next, broken)
                outage.github.inject(Meanwhile(break_next), nth=number - 1)
            replace(outage, url=front.url).run()

            methods = [request.method for request in outage.github.requests]
            # After the pause before another try, the variable is read again before it is written.
            slower = ["GET", *METHODS[kind]] if kind == LATER and number <= 4 else METHODS[kind]
            assert methods in (METHODS[kind], slower)
            outage.recover()
            assert outage.redelivered() == outage.missed, f"{kind}, {broken} at request {number}"
