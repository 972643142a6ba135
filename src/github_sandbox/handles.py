"""What a test holds in its hand of GitHub's things: hooks and those who have them.

Every method may be called from any thread; it blocks until what it says is done.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from github_sandbox import world
from github_sandbox.attempts import Attempts
from github_sandbox.log import Attempt, Event, Json
from github_sandbox.server import ServerThread


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstage:
    """What is behind all handles."""

    server: ServerThread
    world: world.World
    attempts: Attempts


class Organization:
    """An organization."""

    def __init__(self, backstage: Backstage, login: str) -> None:
        """Use `Sandbox.org`."""
        self._backstage = backstage
        self._organization = backstage.server.call(lambda: backstage.world.name_organization(login))
        self.login = login

    def hook(self, url: str, *, secret: str | None = None, active: bool = True) -> "Hook":
        """Add a hook that has every event delivered to `url`."""
        return _add_hook(self._backstage, self._organization, url, secret=secret, active=active)


class Repository:
    """A repository."""

    def __init__(self, backstage: Backstage, full_name: str) -> None:
        """Use `Sandbox.repository`."""
        self._backstage = backstage
        self._repository = backstage.server.call(lambda: backstage.world.name_repository(full_name))
        self.id = self._repository.id
        self.full_name = self._repository.full_name

    @property
    def variables(self) -> dict[str, str]:
        """The Actions variables by their upper-case names, to be read and changed at will."""
        return self._repository.variables

    @variables.setter
    def variables(self, variables: dict[str, str]) -> None:
        self._repository.variables = variables

    def hook(self, url: str, *, secret: str | None = None, active: bool = True) -> "Hook":
        """Add a hook that has every event delivered to `url`."""
        return _add_hook(self._backstage, self._repository, url, secret=secret, active=active)


class App:
    """A GitHub App."""

    def __init__(self, backstage: Backstage, app: world.App, private_key: str) -> None:
        """Use `Sandbox.app`."""
        self._backstage = backstage
        self._app = app
        self.id = app.id
        self.client_id = app.client_id
        self.slug = app.slug
        self.private_key = private_key
        """In PEM, as GitHub hands it out."""

    @property
    def tokens(self) -> list[world.InstallationToken]:
        """All that were ever issued to its installations, in order."""
        return self._backstage.server.call(self._app.tokens.copy)

    def hook(self, url: str, *, secret: str | None = None) -> "Hook":
        """Set the App's only webhook, which has every event delivered to `url`."""

        def set_up() -> world.Hook:
            if self._app.hook:
                raise ValueError("an App has one webhook")
            self._app.hook = self._backstage.world.new_hook(self._app, url=url, secret=secret)
            return self._app.hook

        return Hook(self._backstage, self._backstage.server.call(set_up))

    def install(
        self,
        account: str,
        permissions: world.Permissions | None = None,
        repositories: Collection[str] | None = None,
    ) -> "Installation":
        """Install it on an organization, or else on a user.

        It may do there what the App asks for unless `permissions` say otherwise, with all of
        the account's repositories unless `repositories`, by their full names, say which.
        """

        def add() -> world.Installation:
            github = self._backstage.world
            chosen = None
            if repositories is not None:
                named = [github.name_repository(each) for each in repositories]
                if any(each.account.lower() != account.lower() for each in named):
                    raise ValueError(f"not all of these repositories are of {account}")
                chosen = frozenset(each.full_name.lower() for each in named)
            installation = world.Installation(
                id=github.new_id(),
                app=self._app,
                account=account,
                permissions=self._app.permissions if permissions is None else permissions,
                repositories=chosen,
                created_at=github.now(),
            )
            self._app.installations[installation.id] = installation
            return installation

        return Installation(self._backstage, self._backstage.server.call(add))


class Installation:
    """An App on an account."""

    def __init__(self, backstage: Backstage, installation: world.Installation) -> None:
        """Use `App.install`."""
        self._backstage = backstage
        self._installation = installation
        self.id = installation.id

    def suspend(self) -> None:
        """Suspend it: its tokens are of no use any more, and it is given no others."""

        def suspend() -> None:
            self._installation.suspended_at = self._backstage.world.now()

        self._backstage.server.call(suspend)


class Hook:
    """A hook of an organization, a repository or an App."""

    def __init__(self, backstage: Backstage, hook: world.Hook) -> None:
        """Use `hook` of who is to have it."""
        self._server = backstage.server
        self._world = backstage.world
        self._attempts = backstage.attempts
        self._hook = hook
        self.id = hook.id
        self.owner = hook.owner.name
        """The organization's login, the repository's full name, or the App's slug."""
        self.path = hook.address
        """Where the API has it, without the address of the API."""

    @property
    def org(self) -> str:
        """The login of the organization that has it."""
        match self._hook.owner:
            case world.Organization(login=login):
                return login
        raise AttributeError(f"{self.path} is of no organization")

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
        if not self._hook.active:
            raise ValueError("a hook that is not active is told of nothing")
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

    def record_many(
        self, count: int, *, since: datetime, until: datetime, event: str = "push"
    ) -> None:
        """Log `count` deliveries that succeeded but were never made, evenly spread in time.

        The first is of `since`, the last of `until`. The API shows them at once.
        """
        attempt = Attempt(status="OK", status_code=200)
        # One for all and a number for each: to make a million takes seconds.
        unique = str(uuid.uuid4())[8:]

        def record() -> None:
            payload = self._hook.owner.in_payloads()
            events = (
                (
                    since + (until - since) * (place / max(count - 1, 1)),
                    Event(guid=f"{place:08x}{unique}", name=event, action=None, payload=payload),
                )
                for place in range(count)
            )
            self._hook.log.add_many(events, attempt, shown_at=self._world.now())

        self._server.call(record)

    def _event(
        self, name: str, *, action: str | None, guid: str | None, payload: dict[str, Any] | None
    ) -> Event:
        if payload is None:
            payload = self._server.call(self._hook.owner.in_payloads)
            if action is not None:
                payload["action"] = action
        return Event(guid=guid or str(uuid.uuid4()), name=name, action=action, payload=payload)


def _add_hook(
    backstage: Backstage,
    owner: world.Organization | world.Repository,
    url: str,
    *,
    secret: str | None,
    active: bool,
) -> Hook:
    def add() -> world.Hook:
        hook = backstage.world.new_hook(owner, url=url, secret=secret, active=active)
        owner.hooks[hook.id] = hook
        return hook

    return Hook(backstage, backstage.server.call(add))
