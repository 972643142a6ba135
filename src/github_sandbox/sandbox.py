"""A simulated GitHub for tests: set it up, inject faults, and inspect the requests it received.

Every method may be called from any thread, and returns when it has taken effect.
"""

import ssl
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Self

from aiohttp import web

from github_sandbox.api.app_keys import generate_private_key, public_key_of
from github_sandbox.api.application import RestApi
from github_sandbox.backend import Backend
from github_sandbox.clock import Clock, utc_now
from github_sandbox.delivery.dispatcher import Dispatcher
from github_sandbox.faults import Fault, Faults
from github_sandbox.model.delivery_log import SortBy
from github_sandbox.model.entities import Access, AppState, Permissions, PersonalToken
from github_sandbox.model.state import Request, State
from github_sandbox.network.server_thread import HOST, ServerThread
from github_sandbox.objects import App, Organization, Repository

API_VERSIONS = ("2022-11-28", "2026-03-10")
APP_PERMISSIONS: Permissions = {"organization_hooks": "write", "actions_variables": "write"}


class Sandbox:
    """A simulated GitHub on 127.0.0.1 that runs inside its `with` block."""

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
        response names the `enterprise_version`, such as 3.19.0, if there is one.
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
            enterprise_version=enterprise_version,
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

    @property
    def requests(self) -> list[Request]:
        """All requests that the API received, oldest first."""
        return self._server.call(self._state.requests.copy)

    @property
    def most_at_once(self) -> int:
        """The largest number of requests so far that the API was handling at the same time."""
        return self._server.call(lambda: self._state.concurrency.most)

    def token(
        self,
        value: str,
        *,
        organization_hooks: Access | None = None,
        repository_hooks: Access | None = None,
        actions_variables: Access | None = None,
        scopes: Collection[str] | None = None,
        sso: bool = False,
    ) -> None:
        """Create a personal access token: classic if it has `scopes`, else fine-grained.

        With `sso`, it has not been authorized for the organization's single sign-on yet.
        """
        accesses = {
            "organization_hooks": organization_hooks,
            "repository_hooks": repository_hooks,
            "actions_variables": actions_variables,
        }
        permissions = {name: access for name, access in accesses.items() if access}
        if permissions and scopes is not None:
            raise ValueError("a token has either permissions or scopes")
        token = PersonalToken(
            permissions=permissions,
            scopes=None if scopes is None else frozenset(scopes),
            needs_sso=sso,
        )
        self._server.call(lambda: self._state.tokens.update({value: token}))

    def org(self, login: str) -> Organization:
        """Return an organization. The first call creates it."""
        return Organization(self._backend, login)

    def repository(self, full_name: str) -> Repository:
        """Return a repository. The first call creates it."""
        return Repository(self._backend, full_name)

    def app(
        self,
        slug: str = "redeliver-bot",
        owner: str = "acme",
        *,
        permissions: Permissions = APP_PERMISSIONS,
    ) -> App:
        """Register a GitHub App, whose installations get `permissions` by default."""
        key = generate_private_key(slug)

        def register() -> AppState:
            return self._state.add_app(
                slug=slug,
                account=owner,
                public_key=public_key_of(key),
                permissions=permissions,
            )

        return App(self._backend, self._server.call(register), key)

    def inject(
        self,
        fault: Fault,
        *,
        method: str = "*",
        path: str = ".*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Apply a fault to `times` matching requests, beginning with the `nth` from now on.

        `path` is a regular expression for the whole path without `/api/v3`. `times=None` applies
        the fault to all matching requests from the `nth` on. If several faults apply to a request,
        the one injected first is the outermost.
        """
        self._server.call(
            lambda: self._faults.inject(fault, method=method, path=path, nth=nth, times=times)
        )

    def mend(self) -> None:
        """Remove all faults."""
        self._server.call(self._faults.clear)

    def show_late(self, seconds: float) -> None:
        """Make the API show new deliveries only `seconds` after they end.

        This does not delay deliveries that have started already.
        """
        self._server.call(lambda: self._dispatcher.show_late(seconds))

    def settle(self) -> None:
        """Wait until no redelivery is running. The API may show the deliveries even later."""
        self._server.wait_for(self._dispatcher.wait_until_idle())

    def rate_limit(self, *, remaining: int, reset_in: float) -> None:
        """Set the primary rate limit of all tokens: `remaining` requests for `reset_in` seconds."""
        limit = self._state.primary_limit
        if limit is None:
            raise ValueError("this is a server without rate limits")

        def update() -> None:
            limit.remaining = remaining
            limit.reset_at = self._state.now() + timedelta(seconds=reset_in)

        self._server.call(update)

    async def _application(self) -> web.Application:
        self._dispatcher = Dispatcher(self._state, receiver_timeout=self._receiver_timeout)
        self._backend = Backend(server=self._server, state=self._state, dispatcher=self._dispatcher)
        application = self._new_api(self._state, self._dispatcher, self._faults).application()
        application.on_cleanup.append(lambda _: self._dispatcher.close())
        return application
