"""A simulated GitHub for tests: set it up, inject faults, and inspect the requests it received.

Every method may be called from any thread, and returns when it has taken effect.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from github_sandbox.api.app_keys import generate_keys
from github_sandbox.faults import Fault
from github_sandbox.model.entities import Access, AppState, Permissions, PersonalToken, TokenLag
from github_sandbox.model.state import Request
from github_sandbox.objects import App, Organization, Repository
from github_sandbox.server import Server

APP_PERMISSIONS: Permissions = {"organization_hooks": "write", "actions_variables": "write"}


class Sandbox(Server):
    """A simulated GitHub that runs inside its `with` block. `Server` says how to configure it."""

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
        metadata: Literal["read"] | None = None,
        scopes: Collection[str] | None = None,
        sso: bool = False,
        expires_at: datetime | None = None,
    ) -> None:
        """Create a personal access token: classic if it has `scopes`, else fine-grained.

        With `sso`, it has not been authorized for the organization's single sign-on yet. Responses
        say when it expires, in the time zone of `expires_at`.
        """
        accesses: dict[str, Access | None] = {
            "organization_hooks": organization_hooks,
            "repository_hooks": repository_hooks,
            "actions_variables": actions_variables,
            "metadata": metadata,
        }
        permissions = {name: access for name, access in accesses.items() if access}
        if permissions and scopes is not None:
            raise ValueError("a token has either permissions or scopes")
        if expires_at is not None and expires_at.tzinfo is None:
            raise ValueError(f"{expires_at} has no time zone")
        token = PersonalToken(
            permissions=permissions,
            scopes=None if scopes is None else frozenset(scopes),
            needs_sso=sso,
            expires_at=expires_at,
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
        private_key, public_key = generate_keys(slug)

        def register() -> AppState:
            return self._state.add_app(
                slug=slug,
                account=owner,
                public_key=public_key,
                permissions=permissions,
            )

        return App(self._backend, self._server.call(register), private_key)

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

    def delay_tokens(self, *, requests: int, status: Literal[401, 403] = 401) -> None:
        """Refuse each installation token that is issued from now on while it is new.

        The API responds with `status` to the first `requests` with it. On GitHub, it does so for
        some seconds, but the clock of a test may stand still.
        """

        def delay() -> None:
            self._state.token_lag = TokenLag(requests=requests, status=status)

        self._server.call(delay)

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
