"""The server of a simulated GitHub: its configuration, its start and its stop."""

import ssl
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Self

from aiohttp import web

from github_sandbox.api.application import RestApi
from github_sandbox.backend import Backend
from github_sandbox.clock import Clock, utc_now
from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.faults import Faults
from github_sandbox.model.delivery_log import SortBy
from github_sandbox.model.state import State
from github_sandbox.network.server_thread import HOST, ServerThread

API_VERSIONS = ("2022-11-28", "2026-03-10")
SOME_ENTERPRISE_VERSION = "3.19.0"


class Server:
    """A server on 127.0.0.1 that runs inside its `with` block. Tests use it as a `Sandbox`."""

    def __init__(
        self,
        *,
        port: int = 0,
        receiver_timeout: float = 10.0,
        retention: timedelta = timedelta(days=3),
        sort_logs_by: SortBy = "delivered_at",
        clock: Clock = utc_now,
        filters: bool = True,
        rate_limits: bool = True,
        enterprise_version: str | None = None,
        points_per_minute: int | None = None,
        api_versions: Sequence[str] = API_VERSIONS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Configure the server. It takes the time from `clock`, also to decide what has expired.

        It listens on `port` (0: any free one), with HTTPS if `tls` is given. It keeps deliveries
        for `retention`. A receiver has `receiver_timeout` real seconds to respond. With
        `sort_logs_by="id"`, an entry that is written late comes before newer deliveries in the log.

        `rate_limits=False` imitates Enterprise Server, which has none by default. `filters=False`
        imitates an old server, which ignores the parameter `status` of the delivery log. Every
        response of Enterprise Server names the `enterprise_version`, such as 3.19.0. A server
        without rate limits always has one.
        Within any 60 seconds, the requests of all tokens may cost `points_per_minute`: one point
        to read, five to write. GitHub grants 900; None means no limit.
        The server supports `api_versions`, oldest first. A request that names none gets the oldest.
        """
        if points_per_minute is not None and not rate_limits:
            raise ValueError("a server without rate limits has no points per minute")
        self._receiver_timeout = receiver_timeout
        self._state = State(
            clock=clock,
            retention=retention,
            sort_logs_by=sort_logs_by,
            rate_limits=rate_limits,
            points_per_minute=points_per_minute,
        )
        self._faults = Faults()
        self._new_api = partial(
            RestApi,
            has_status_filter=filters,
            enterprise_version=enterprise_version
            or (None if rate_limits else SOME_ENTERPRISE_VERSION),
            api_versions=api_versions,
        )
        self._port = port
        self._tls = tls

    def __enter__(self) -> Self:
        """Start the server."""
        self._server = ServerThread(self._application, port=self._port, tls=self._tls)
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the server, without waiting for requests or redeliveries to end."""
        self._server.stop()

    @property
    def url(self) -> str:
        """The base URL of the API. `/api/v3` under it works too, as on Enterprise Server."""
        # A certificate names a host, so HTTPS needs one.
        base = "https://localhost" if self._tls else f"http://{HOST}"
        return f"{base}:{self._server.port}"

    async def _application(self) -> web.Application:
        self._dispatcher = Dispatcher(self._state, receiver_timeout=self._receiver_timeout)
        self._backend = Backend(server=self._server, state=self._state, dispatcher=self._dispatcher)
        application = self._new_api(self._state, self._dispatcher, self._faults).application()
        application.on_cleanup.append(lambda _: self._dispatcher.close())
        return application
