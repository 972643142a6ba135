"""What this GitHub has: accounts, repositories, hooks, Apps, tokens, and the rate limits.

State only: no HTTP. Only code on the server's event loop may read or change it.
"""

import itertools
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from github_sandbox.clock import Clock
from github_sandbox.model.delivery_log import DeliveryLog, Json
from github_sandbox.model.rate_limits import PRIMARY_WINDOW, PrimaryLimit, SecondaryLimit

Access: TypeAlias = Literal["read", "write"]
Permissions: TypeAlias = Mapping[str, Access]


def grants(permissions: Permissions, permission: str, access: str) -> bool:
    """Return whether `permissions` include that access. Write access includes read access."""
    granted = permissions.get(permission)
    return granted is not None and access in {granted, "read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the sandbox received.

    `status` is None while it is unanswered, and for good if the connection was dropped.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None = field(repr=False)
    api_version: str | None = None
    began: float = field(compare=False)
    """When it arrived, by `time.monotonic()`. Tests compare requests without it."""
    status: int | None = None


@dataclass(slots=True)
class ConcurrencyCounter:
    """Counts how many requests are being answered now, and the most there ever were at once."""

    now: int = 0
    most: int = 0

    def __enter__(self) -> None:
        """Count one more."""
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_exception: object) -> None:
        """Count one less."""
        self.now -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationState:
    """An organization and its hooks, by id."""

    kind: ClassVar = "organization"

    id: int
    login: str
    hooks: dict[int, "HookState"] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> str:
        """The login of the account that owns it: its own."""
        return self.login

    @property
    def name(self) -> str:
        """Its login, as the owner of a hook."""
        return self.login

    @property
    def api_path(self) -> str:
        """Its path in the API."""
        return f"/orgs/{self.login}"

    def event_payload(self) -> Json:
        """Return what the payload of an event says about it."""
        return {"organization": {"id": self.id, "login": self.login}}


@dataclass(slots=True, kw_only=True)
class RepositoryState:
    """A repository, its hooks by id, and its Actions variables by their upper-case names.

    A test may read and change `variables` directly. Only the API writes `variable_times`.
    """

    kind: ClassVar = "repository"

    id: int
    full_name: str
    hooks: dict[int, "HookState"] = field(default_factory=dict, repr=False)
    variables: dict[str, str] = field(default_factory=dict)
    variable_times: dict[str, tuple[datetime, datetime]] = field(default_factory=dict, repr=False)
    """When the API created a variable, and when it last updated it."""

    @property
    def account(self) -> str:
        """The login of the account that owns it."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """Its full name, as the owner of a hook."""
        return self.full_name

    @property
    def api_path(self) -> str:
        """Its path in the API."""
        return f"/repos/{self.full_name}"

    def event_payload(self) -> Json:
        """Return what the payload of an event says about it."""
        name = self.full_name.partition("/")[2]
        return {"repository": {"id": self.id, "name": name, "full_name": self.full_name}}


@dataclass(slots=True, kw_only=True)
class AppState:
    """A GitHub App, with at most one webhook."""

    kind: ClassVar = "integration"

    id: int
    client_id: str
    slug: str
    account: str
    """The login of the account that owns it."""
    public_key: RSAPublicKey = field(repr=False)
    permissions: Permissions
    token_life: timedelta
    created_at: datetime
    hook: "HookState | None" = field(default=None, repr=False)
    installations: dict[int, "InstallationState"] = field(default_factory=dict, repr=False)
    tokens: list["InstallationToken"] = field(default_factory=list, repr=False)
    """All tokens that were ever issued to its installations."""

    @property
    def name(self) -> str:
        """Its slug, as the owner of a hook."""
        return self.slug

    def event_payload(self) -> Json:
        """Return what the payload of an event says about it: its first installation, if any."""
        for installation in self.installations.values():
            return {"installation": {"id": installation.id}}
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class HookState:
    """A hook's configuration and its delivery log."""

    id: int
    owner: OrganizationState | RepositoryState | AppState
    url: str
    secret: str | None = field(repr=False)
    active: bool
    created_at: datetime
    log: DeliveryLog = field(default_factory=DeliveryLog, repr=False)

    @property
    def api_path(self) -> str:
        """Its path in the API."""
        if isinstance(self.owner, AppState):
            return "/app/hook"
        return f"{self.owner.api_path}/hooks/{self.id}"


@dataclass(slots=True, kw_only=True)
class InstallationState:
    """The installation of an App on an account, and its permissions there."""

    id: int
    app: AppState
    account: str
    permissions: Permissions
    repositories: frozenset[str] | None
    """Full names in lower case, or None for all repositories of the account."""
    created_at: datetime
    suspended_at: datetime | None = None

    def covers(self, target: OrganizationState | RepositoryState) -> bool:
        """Return whether it may access the target at all, whatever its permissions."""
        return target.account.lower() == self.account.lower() and (
            isinstance(target, OrganizationState) or _is_selected(target, self.repositories)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """A personal access token: classic if it has `scopes`, else fine-grained."""

    permissions: Permissions = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    needs_sso: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationToken:
    """A token that was issued to an installation, for all its permissions or fewer."""

    value: str = field(repr=False)
    installation: InstallationState = field(repr=False)
    permissions: Permissions
    repositories: frozenset[str] | None
    """Full names in lower case, or None for all that the installation covers."""
    expires_at: datetime

    def covers(self, target: OrganizationState | RepositoryState) -> bool:
        """Return whether it may access the target at all, whatever its permissions."""
        return self.installation.covers(target) and (
            isinstance(target, OrganizationState) or _is_selected(target, self.repositories)
        )


def _is_selected(repository: RepositoryState, full_names: frozenset[str] | None) -> bool:
    return full_names is None or repository.full_name.lower() in full_names


class State:
    """Everything this GitHub has. A test creates an account or a repository by naming it."""

    def __init__(
        self,
        *,
        clock: Clock,
        retention: timedelta,
        rate_limits: bool,
        points_per_minute: int | None,
    ) -> None:
        self.now = clock
        self.retention = retention
        self.primary_limit: PrimaryLimit | None = None
        if rate_limits:
            self.primary_limit = PrimaryLimit(reset_at=clock() + PRIMARY_WINDOW)
        self.secondary_limit: SecondaryLimit | None = None
        if points_per_minute is not None:
            self.secondary_limit = SecondaryLimit(points=points_per_minute)
        self.tokens: dict[str, PersonalToken | InstallationToken] = {}
        self.requests: list[Request] = []
        self.concurrency = ConcurrencyCounter()
        self.apps: dict[int, AppState] = {}
        self._organizations: dict[str, OrganizationState] = {}
        self._repositories: dict[str, RepositoryState] = {}
        self._ids = itertools.count(510_000_001)
        self._user_ids: defaultdict[str, int] = defaultdict(self.new_id)

    @property
    def retention_start(self) -> datetime:
        """The time before which deliveries are no longer kept."""
        return self.now() - self.retention

    def new_id(self) -> int:
        """Return an id that nothing else has."""
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

    def covered_repositories(self, installation: InstallationState) -> list[RepositoryState]:
        """Return all repositories that an installation covers."""
        return [
            repository
            for repository in self._repositories.values()
            if installation.covers(repository)
        ]

    def account(self, login: str) -> Json:
        """Return the account with that login. It is a user unless a test created the organization.

        The result has the three fields that identify an account in the API.
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
        token_life: timedelta,
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
            token_life=token_life,
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
        """Install an App with these permissions, or its own, on these repositories, or all."""
        selected = None
        if repositories is not None:
            states = [self.get_or_create_repository(full_name) for full_name in repositories]
            if any(state.account.lower() != account.lower() for state in states):
                raise ValueError(f"not all of these repositories are of {account}")
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
        hook = HookState(
            id=self.new_id(),
            owner=owner,
            url=url,
            secret=secret,
            active=active,
            created_at=self.now(),
        )
        if not isinstance(owner, AppState):
            owner.hooks[hook.id] = hook
        elif owner.hook is None:
            owner.hook = hook
        else:
            raise ValueError("an App has one webhook")
        return hook
