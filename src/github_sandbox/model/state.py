"""The whole state of the simulated GitHub, and every request it received.

State only: no HTTP. Only code on the server's event loop may read or change it.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from github_sandbox.clock import Clock
from github_sandbox.model.delivery_log import DeliveryLog, SortBy
from github_sandbox.model.entities import (
    AppState,
    HookState,
    InstallationState,
    InstallationToken,
    OrganizationState,
    Permissions,
    PersonalToken,
    RepositoryState,
    TokenLag,
)
from github_sandbox.model.formats import Json
from github_sandbox.model.rate_limits import PRIMARY_WINDOW, PrimaryLimit, SecondaryLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the sandbox received.

    `status` is None until the sandbox responds, and stays None if it drops the connection.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None = field(repr=False)
    api_version: str | None = None
    began: float = field(compare=False)
    """When it arrived, by `time.monotonic()`. Comparing requests ignores it."""
    status: int | None = None


@dataclass(slots=True)
class ConcurrencyCounter:
    """Counts the requests being handled `now`, and the `most` that were ever handled at once."""

    now: int = 0
    most: int = 0

    def __enter__(self) -> None:
        """Count one more."""
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_exception: object) -> None:
        """Count one less."""
        self.now -= 1


class State:
    """The accounts, repositories, Apps, tokens and rate limits of the simulated GitHub."""

    def __init__(
        self,
        *,
        clock: Clock,
        retention: timedelta,
        sort_logs_by: SortBy,
        rate_limits: bool,
        points_per_minute: int | None,
    ) -> None:
        self.now = clock
        self.retention = retention
        self.sort_logs_by = sort_logs_by
        self.primary_limit: PrimaryLimit | None = None
        if rate_limits:
            self.primary_limit = PrimaryLimit(reset_at=clock() + PRIMARY_WINDOW)
        self.secondary_limit: SecondaryLimit | None = None
        if points_per_minute is not None:
            self.secondary_limit = SecondaryLimit(points=points_per_minute)
        self.tokens: dict[str, PersonalToken | InstallationToken] = {}
        self.token_lag = TokenLag()
        """The lag of installation tokens that are issued from now on."""
        self.token_requests = Counter[str]()
        """How many requests have come with each installation token."""
        self.requests: list[Request] = []
        self.concurrency = ConcurrencyCounter()
        self.apps: dict[int, AppState] = {}
        self._organizations: dict[str, OrganizationState] = {}
        self._repositories: dict[str, RepositoryState] = {}
        self._ids = itertools.count(510_000_001)
        self._user_ids: defaultdict[str, int] = defaultdict(self.new_id)

    @property
    def retention_start(self) -> datetime:
        """The start of the retention period. Older deliveries are gone."""
        return self.now() - self.retention

    def new_id(self) -> int:
        """Return a new id, unique in this sandbox."""
        return next(self._ids)

    def find_organization(self, login: str) -> OrganizationState | None:
        """Find an organization."""
        return self._organizations.get(login.lower())

    def get_or_create_organization(self, login: str) -> OrganizationState:
        """Find an organization, or create it."""
        key = login.lower()
        if key not in self._organizations:
            self._organizations[key] = OrganizationState(id=self.new_id(), login=login)
        return self._organizations[key]

    def find_repository(self, full_name: str) -> RepositoryState | None:
        """Find a repository."""
        return self._repositories.get(full_name.lower())

    def get_or_create_repository(self, full_name: str) -> RepositoryState:
        """Find a repository, or create it."""
        owner, slash, name = full_name.partition("/")
        if not (owner and slash and name):
            raise ValueError(f"a repository is named owner/name, not {full_name!r}")
        key = full_name.lower()
        if key not in self._repositories:
            self._repositories[key] = RepositoryState(id=self.new_id(), full_name=full_name)
        return self._repositories[key]

    def repositories_of(self, account: str) -> list[RepositoryState]:
        """Return all repositories of an account."""
        return [
            repository
            for repository in self._repositories.values()
            if repository.account.lower() == account.lower()
        ]

    def covered_repositories(self, installation: InstallationState) -> list[RepositoryState]:
        """Return all repositories that an installation covers."""
        return [
            repository
            for repository in self._repositories.values()
            if installation.covers(repository)
        ]

    def account(self, login: str) -> Json:
        """Return the account with that login: an organization if there is one, otherwise a user.

        The result has the fields of the API that identify an account.
        """
        organization = self.find_organization(login)
        if organization:
            return {"login": organization.login, "id": organization.id, "type": "Organization"}
        return {"login": login, "id": self._user_ids[login.lower()], "type": "User"}

    def add_app(
        self,
        *,
        slug: str,
        account: str,
        public_key: RSAPublicKey,
        permissions: Permissions,
    ) -> AppState:
        """Register an App."""
        app_id = self.new_id()
        self.apps[app_id] = AppState(
            id=app_id,
            client_id=f"Iv23li{app_id:014}",
            slug=slug,
            account=account,
            public_key=public_key,
            permissions=permissions,
            created_at=self.now(),
        )
        return self.apps[app_id]

    def add_installation(
        self,
        app: AppState,
        account: str,
        permissions: Permissions | None,
        repositories: Collection[str] | None,
    ) -> InstallationState:
        """Install an App on an account.

        None stands for the App's own permissions, and for all repositories of the account.
        """
        selected = None
        if repositories is not None:
            states = [self.get_or_create_repository(full_name) for full_name in repositories]
            if any(state.account.lower() != account.lower() for state in states):
                raise ValueError(f"not all of these are repositories of {account}")
            selected = frozenset(state.full_name.lower() for state in states)
        installation = InstallationState(
            id=self.new_id(),
            app=app,
            account=account,
            permissions=app.permissions if permissions is None else permissions,
            repositories=selected,
            created_at=self.now(),
        )
        app.installations[installation.id] = installation
        return installation

    def add_hook(
        self,
        owner: OrganizationState | RepositoryState | AppState,
        *,
        url: str,
        secret: str | None,
        active: bool = True,
    ) -> HookState:
        """Add a hook to its owner. An App can have only one."""
        now = self.now()
        hook = HookState(
            id=self.new_id(),
            owner=owner,
            url=url,
            secret=secret,
            active=active,
            created_at=now,
            updated_at=now,
            log=DeliveryLog(sort_by=self.sort_logs_by),
        )
        if not isinstance(owner, AppState):
            owner.hooks[hook.id] = hook
        elif owner.hook is None:
            owner.hook = hook
        else:
            raise ValueError("an App can have only one webhook")
        return hook
