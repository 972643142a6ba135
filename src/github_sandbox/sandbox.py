"""GitHub as a test holds it in its hand: what is there, what was asked, what goes wrong.

Every method may be called from any thread; it blocks until what it says is done.
"""

import ssl
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Self

import aiohttp
from aiohttp import web

from github_sandbox.apps import generate_private_key, public_key_of
from github_sandbox.attempts import Attempts
from github_sandbox.clock import Clock, utc_now
from github_sandbox.faults import Fault, Faults
from github_sandbox.handles import App, Backend, Organization, Repository
from github_sandbox.rest import RestApi
from github_sandbox.server import HOST, ServerThread
from github_sandbox.world import Access, AppState, Permissions, PersonalToken, Request, State

API_VERSIONS = ("2022-11-28", "2026-03-10")
APP_PERMISSIONS: Permissions = {"organization_hooks": "write", "actions_variables": "write"}


class Sandbox:
    """GitHub in miniature on 127.0.0.1, up while in its `with` block."""

    def __init__(
        self,
        *,
        port: int = 0,
        receiver_timeout: float = 10.0,
        attempt_delay: float = 0.0,
        log_delay: float = 0.0,
        retention: timedelta = timedelta(days=3),
        clock: Clock = utc_now,
        filters: bool = True,
        rate_limits: bool = True,
        points_per_minute: int | None = None,
        api_versions: Sequence[str] = API_VERSIONS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Keep the log for `retention` by `clock`, as is every other instant told or judged.

        A receiver has `receiver_timeout` real seconds to answer. A redelivery begins
        `attempt_delay` real seconds after it was accepted, and its row shows `log_delay`
        seconds by `clock` after the attempt is over. With `tls`, HTTPS is spoken.

        The requests of any one minute by `clock` may cost `points_per_minute`, all tokens
        together: one point to read, five to write. GitHub grants 900; None is no end of them.
        Without `rate_limits` it is an Enterprise Server as it comes, which knows no limit at all.
        Without `filters` it is an older server, whose listing of deliveries ignores `status`.
        It knows these `api_versions`, of which a request that names none gets the first.
        """
        if points_per_minute is not None and not rate_limits:
            raise ValueError("a server without rate limits grants no number of points")
        self._receiver_timeout = receiver_timeout
        self._attempt_delay = attempt_delay
        self._log_delay = log_delay
        self._state = State(
            clock=clock,
            retention=retention,
            rate_limits=rate_limits,
            points_per_minute=points_per_minute,
        )
        self._faults = Faults()
        self._filters = filters
        self._api_versions = api_versions
        self._port = port
        self._tls = tls

    def __enter__(self) -> Self:
        """Start to answer."""
        self._server = ServerThread(self._application, port=self._port, tls=self._tls)
        self._server.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Break off whatever is under way."""
        self._server.stop()

    @property
    def url(self) -> str:
        """Where the API is; also at `/api/v3` under it, as on GitHub Enterprise Server."""
        # A certificate is for a name.
        base = "https://localhost" if self._tls else f"http://{HOST}"
        return f"{base}:{self._server.port}"

    @property
    def requests(self) -> list[Request]:
        """Everything the API was asked, in order."""
        return self._server.call(self._state.requests.copy)

    @property
    def most_at_once(self) -> int:
        """The largest number of requests so far that were being answered at the same time."""
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
        """Issue a token: classic if it has `scopes`, else fine-grained.

        With `sso`, it still has to be authorized for the organization's single sign-on.
        """
        asked = {
            "organization_hooks": organization_hooks,
            "repository_hooks": repository_hooks,
            "actions_variables": actions_variables,
        }
        permissions = {name: access for name, access in asked.items() if access}
        if permissions and scopes is not None:
            raise ValueError("a token has either permissions or scopes")
        token = PersonalToken(
            permissions=permissions,
            scopes=None if scopes is None else frozenset(scopes),
            needs_sso=sso,
        )
        self._server.call(lambda: self._state.tokens.update({value: token}))

    def org(self, login: str) -> Organization:
        """Name an organization, which from then on exists."""
        return Organization(self._backend, login)

    def repository(self, full_name: str) -> Repository:
        """Name a repository, which from then on exists."""
        return Repository(self._backend, full_name)

    def app(
        self,
        slug: str = "redeliver-bot",
        owner: str = "acme",
        *,
        permissions: Permissions = APP_PERMISSIONS,
        token_life: timedelta = timedelta(hours=1),
        private_key: str | None = None,
    ) -> App:
        """Register a GitHub App that asks for `permissions` wherever it is installed.

        Its installations' tokens are good for `token_life`. Apps share one key unless given
        their own.
        """
        key = private_key or generate_private_key()

        def register() -> AppState:
            return self._state.add_app(
                slug=slug,
                account=owner,
                public_key=public_key_of(key),
                permissions=permissions,
                token_life=token_life,
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
        """Spoil the `nth` matching request from now on, and the next, `times` in all.

        The regular expression has to match the whole path without `/api/v3`; `times=None`
        means for ever. Of several faults due at once the first injected is the outermost.
        """
        self._server.call(
            lambda: self._faults.inject(fault, method=method, path=path, nth=nth, times=times)
        )

    def show_late(self, seconds: float) -> None:
        """Have the API show the rows of attempts from now on so late after their end."""
        self._server.call(lambda: self._attempts.show_late(seconds))

    def mend(self) -> None:
        """Let nothing go wrong any more, whatever was injected."""
        self._server.call(self._faults.clear)

    def settle(self) -> None:
        """Wait until no redelivery is under way; the API may show the rows later still."""
        self._server.wait_for(self._attempts.settle())

    def rate_limit(self, *, remaining: int, reset_in: float) -> None:
        """Leave so many requests, all tokens together, until `reset_in` seconds from now."""
        limit = self._state.primary_limit
        if limit is None:
            raise ValueError("a server without rate limits has none to come to")

        def leave() -> None:
            limit.remaining = remaining
            limit.reset_at = self._state.now() + timedelta(seconds=reset_in)

        self._server.call(leave)

    async def _application(self) -> web.Application:
        # As GitHub does, connect anew for every delivery.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        session = aiohttp.ClientSession(connector=connector)
        self._attempts = Attempts(
            self._state,
            session,
            receiver_timeout=self._receiver_timeout,
            attempt_delay=self._attempt_delay,
            log_delay=self._log_delay,
        )

        async def clean_up(_application: web.Application) -> None:
            await self._attempts.abandon()
            await session.close()

        self._backend = Backend(server=self._server, state=self._state, attempts=self._attempts)
        rest = RestApi(
            self._state,
            self._attempts,
            self._faults,
            has_status_filter=self._filters,
            api_versions=self._api_versions,
        )
        application = rest.application()
        application.on_cleanup.append(clean_up)
        return application
