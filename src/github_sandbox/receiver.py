"""A receiver of webhooks for tests, which can fail, be slow, or be down."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web

from github_sandbox.network.server_thread import HOST, ServerThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One delivery that reached the receiver."""

    guid: str
    event: str
    signature_valid: bool | None
    """None if the delivery was not signed."""
    status: int
    """The status code of the receiver's response, even if that came too late."""
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behaviour:
    status: int
    delay: float
    failing_events: Mapping[str, int]


class Receiver:
    """A receiver of webhooks on 127.0.0.1 that runs inside its `with` block.

    It checks signatures with `secret`.
    """

    def __init__(self, *, secret: str = "hush") -> None:
        self._secret = secret
        self._received: list[Received] = []
        self._server: ServerThread | None = None
        self.behave()

    def __enter__(self) -> Self:
        """Reserve a port, and start to listen."""
        self._reservation = _reserve_port()
        self._port: int = self._reservation.getsockname()[1]
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop, and release the port."""
        self.stop()
        self._reservation.close()

    @property
    def url(self) -> str:
        """The URL for deliveries. It stays the same after a restart."""
        return f"http://{HOST}:{self._port}/hook"

    def start(self) -> None:
        """Start to listen, unless the receiver is up already."""
        if self._server is None:
            self._server = ServerThread(self._application, port=self._port, reuse_port=True)
            self._server.start()

    def stop(self) -> None:
        """Go down: refuse new connections, and close the open ones without a response."""
        if self._server:
            self._server.stop()
            self._server = None

    def behave(
        self,
        *,
        status: int = 200,
        delay: float = 0.0,
        failing_events: Mapping[str, int] | None = None,
    ) -> None:
        """Respond `delay` seconds late with `status`, or the event's status in `failing_events`."""
        self._behaviour = _Behaviour(
            status=status, delay=delay, failing_events=dict(failing_events or {})
        )

    def received(self) -> list[Received]:
        """Return all deliveries that arrived, in order, including those before a restart."""
        return self._received.copy()

    async def _application(self) -> web.Application:
        going_down = asyncio.Event()

        async def receive(request: web.Request) -> web.Response:
            return await self._receive(request, going_down)

        async def go_down(_application: web.Application) -> None:
            going_down.set()

        application = web.Application()
        application.router.add_post("/{path:.*}", receive)
        application.on_shutdown.append(go_down)
        return application

    async def _receive(self, request: web.Request, going_down: asyncio.Event) -> web.Response:
        body = await request.read()
        behaviour = self._behaviour
        event = request.headers.get("X-GitHub-Event", "")
        status = behaviour.failing_events.get(event, behaviour.status)
        self._received.append(
            Received(
                guid=request.headers.get("X-GitHub-Delivery", ""),
                event=event,
                signature_valid=self._is_signature_valid(request, body),
                status=status,
                payload=json.loads(body),
            )
        )
        # A request that is waiting when the receiver goes down gets no response.
        with suppress(TimeoutError):
            await asyncio.wait_for(going_down.wait(), timeout=behaviour.delay)
            if request.transport:
                request.transport.abort()
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        return web.Response(
            status=status, headers={"Location": "/elsewhere"} if is_redirect else None
        )

    def _is_signature_valid(self, request: web.Request, body: bytes) -> bool | None:
        signature = request.headers.get("X-Hub-Signature-256")
        if signature is None:
            return None
        expected = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature, f"sha256={expected}")


def _reserve_port() -> socket.socket:
    """Bind a free port without listening on it.

    Otherwise the system might assign the port to an outgoing connection while the receiver is down.
    """
    reservation = socket.socket()
    # This lets the receiver's own listening socket bind the same port.
    reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reservation.bind((HOST, 0))
    return reservation
