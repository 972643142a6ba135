"""GitHub as a test holds it in its hand: what is there, what was asked, what goes wrong.

Every method may be called from any thread; it blocks until what it says is done.
"""

import ssl
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

import aiohttp
from aiohttp import web

from github_sandbox.attempts import Attempts
from github_sandbox.clock import Clock, utc_now
from github_sandbox.faults import Fault, Faults
from github_sandbox.log import Attempt, Event, Json
from github_sandbox.rest import Rest
from github_sandbox.server import HOST, ServerThread
from github_sandbox.world import (
    Access,
    OrganizationHook,
    Repository,
    Request,
    Token,
    World,
)


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
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Keep the log for `retention` by `clock`, as is every other instant told or judged.

        A receiver has `receiver_timeout` real seconds to answer. A redelivery begins
        `attempt_delay` real seconds after it was accepted, and its row shows `log_delay`
        seconds by `clock` after the attempt is over. With `tls`, HTTPS is spoken.
        """
        self._receiver_timeout = receiver_timeout
        self._attempt_delay = attempt_delay
        self._log_delay = log_delay
        self._world = World(clock=clock, retention=retention)
        self._faults = Faults()
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
        return self._server.call(self._world.requests.copy)

    def token(
        self,
        value: str,
        *,
        organization_hooks: Access | None = None,
        actions_variables: Access | None = None,
        scopes: Collection[str] | None = None,
        sso: bool = False,
    ) -> None:
        """Issue a token: classic if it has `scopes`, else fine-grained.

        With `sso`, it still has to be authorized for the organization's single sign-on.
        """
        permissions: dict[str, Access] = {}
        if organization_hooks:
            permissions["organization_hooks"] = organization_hooks
        if actions_variables:
            permissions["actions_variables"] = actions_variables
        if permissions and scopes is not None:
            raise ValueError("a token has either permissions or scopes")
        token = Token(
            permissions=permissions,
            scopes=None if scopes is None else frozenset(scopes),
            needs_sso=sso,
        )
        self._server.call(lambda: self._world.tokens.update({value: token}))

    def org(self, login: str) -> "Organization":
        """Name an organization, which from then on exists."""
        self._server.call(lambda: self._world.name_organization(login))
        return Organization(self._server, self._world, self._attempts, login)

    def repository(self, full_name: str) -> Repository:
        """Name a repository, which from then on exists."""
        return self._server.call(lambda: self._world.name_repository(full_name))

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
        self._server.call(self._faults.mend)

    def settle(self) -> None:
        """Wait until no redelivery is under way; the API may show the rows later still."""
        self._server.wait_for(self._attempts.settle())

    def rate_limit(self, *, remaining: int, reset_in: float) -> None:
        """Leave so many requests, all tokens together, until `reset_in` seconds from now."""

        def limit() -> None:
            self._world.limit.remaining = remaining
            self._world.limit.reset_at = self._world.now() + timedelta(seconds=reset_in)

        self._server.call(limit)

    async def _application(self) -> web.Application:
        # As GitHub does, connect anew for every delivery.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        session = aiohttp.ClientSession(connector=connector)
        self._attempts = Attempts(
            self._world,
            session,
            receiver_timeout=self._receiver_timeout,
            attempt_delay=self._attempt_delay,
            log_delay=self._log_delay,
        )

        async def clean_up(_application: web.Application) -> None:
            await self._attempts.abandon()
            await session.close()

        application = Rest(self._world, self._attempts, self._faults).application()
        application.on_cleanup.append(clean_up)
        return application


class Organization:
    """An organization."""

    def __init__(self, server: ServerThread, world: World, attempts: Attempts, login: str) -> None:
        """Use `Sandbox.org`."""
        self._server = server
        self._world = world
        self._attempts = attempts
        self.login = login

    def hook(self, url: str, *, secret: str | None = None) -> "Hook":
        """Add a hook that has every event delivered to `url`."""

        def add() -> OrganizationHook:
            organization = self._world.name_organization(self.login)
            return self._world.add_hook(organization, url=url, secret=secret)

        hook = self._server.call(add)
        return Hook(self._server, self._world, self._attempts, hook)


class Hook:
    """A hook of an organization."""

    def __init__(
        self, server: ServerThread, world: World, attempts: Attempts, hook: OrganizationHook
    ) -> None:
        """Use `Organization.hook`."""
        self._server = server
        self._world = world
        self._attempts = attempts
        self._hook = hook
        self.id = hook.id
        self.org = hook.organization.login

    @property
    def log(self) -> list[Json]:
        """The deliveries as the API lists them, newest first, shown or not yet."""

        def rows() -> list[Json]:
            return [row.listed() for row in self._hook.log.rows(kept_from=self._world.kept_from)]

        return self._server.call(rows)

    def emit(
        self,
        event: str,
        action: str | None = None,
        *,
        at: datetime | None = None,
        guid: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> str:
        """Let an event happen: deliver it for real, log that, and give its GUID."""
        occurred = self._event(event, action=action, guid=guid, payload=payload)
        began = at or self._world.now()
        self._server.wait_for(self._attempts.original(self._hook, occurred, at=began))
        return occurred.guid

    def redeliver(self, delivery_id: int) -> int:
        """Redeliver as somebody would by hand, and give the id of the new delivery."""

        async def redelivered() -> int:
            row = self._hook.log.row(delivery_id, kept_from=self._world.kept_from)
            if row is None:
                raise LookupError(f"the log has no delivery {delivery_id}")
            return (await self._attempts.redelivery(self._hook, row.event)).id

        return self._server.wait_for(redelivered())

    def record(
        self,
        *,
        event: str = "push",
        action: str | None = None,
        at: datetime | None = None,
        guid: str | None = None,
        status: str = "OK",
        status_code: int = 200,
        redelivery: bool = False,
        payload: dict[str, Any] | None = None,
        shown_at: datetime | None = None,
    ) -> int:
        """Log a delivery that was never made, and give its id.

        The API shows it at once, or from `shown_at` on.
        """
        occurred = self._event(event, action=action, guid=guid, payload=payload)
        attempt = Attempt(status=status, status_code=status_code)
        now = self._world.now()
        row = self._server.call(
            lambda: self._hook.log.add(
                occurred, attempt, at=at or now, shown_at=shown_at or now, redelivery=redelivery
            )
        )
        return row.id

    def _event(
        self, name: str, *, action: str | None, guid: str | None, payload: dict[str, Any] | None
    ) -> Event:
        if payload is None:
            organization = self._hook.organization
            payload = {"organization": {"id": organization.id, "login": organization.login}}
            if action is not None:
                payload["action"] = action
        return Event(guid=guid or str(uuid.uuid4()), name=name, action=action, payload=payload)
