"""What GitHub knows: accounts, repositories, hooks, Apps, tokens, the rate limits.

State only: no HTTP. The server's event loop owns it.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from github_sandbox.clock import Clock
from github_sandbox.limits import LIMIT_WINDOW, PointLimit, RateLimit
from github_sandbox.log import Json, Log

Access: TypeAlias = Literal["read", "write"]
Permissions: TypeAlias = Mapping[str, Access]


def grants(permissions: Permissions, permission: str, access: str) -> bool:
    """Tell whether permissions go that far. To write is to read as well."""
    granted = permissions.get(permission)
    return granted is not None and access in {granted, "read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request the sandbox got.

    `status` is None while it is unanswered, and for good if the connection was dropped.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None = field(repr=False)
    api_version: str | None = None
    began: float = field(compare=False)
    """When it arrived, by `time.monotonic()`: no part of what was asked."""
    status: int | None = None


@dataclass(slots=True)
class Peak:
    """How many there are of something, and the most there ever were."""

    now: int = 0
    most: int = 0

    def __enter__(self) -> None:
        """Be one more."""
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_exception: object) -> None:
        """Be one less."""
        self.now -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization and its hooks, by id."""

    kind: ClassVar = "organization"

    id: int
    login: str
    hooks: dict[int, "Hook"] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> str:
        """The login of the account it is, or belongs to."""
        return self.login

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.login

    @property
    def address(self) -> str:
        """Where the API has it."""
        return f"/orgs/{self.login}"

    def in_payloads(self) -> Json:
        """Give what the payload of an event says of it."""
        return {"organization": {"id": self.id, "login": self.login}}


@dataclass(slots=True, kw_only=True)
class Repository:
    """A repository, its hooks by id, and its Actions variables by their upper-case names.

    A test may read and change `variables` as it likes; only what the API does is `touched`.
    """

    kind: ClassVar = "repository"

    id: int
    full_name: str
    hooks: dict[int, "Hook"] = field(default_factory=dict, repr=False)
    variables: dict[str, str] = field(default_factory=dict)
    touched: dict[str, tuple[datetime, datetime]] = field(default_factory=dict, repr=False)
    """When a variable was made and when it was last changed."""

    @property
    def account(self) -> str:
        """The login of the account it belongs to."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.full_name

    @property
    def address(self) -> str:
        """Where the API has it."""
        return f"/repos/{self.full_name}"

    def in_payloads(self) -> Json:
        """Give what the payload of an event says of it."""
        name = self.full_name.partition("/")[2]
        return {"repository": {"id": self.id, "name": name, "full_name": self.full_name}}


@dataclass(slots=True, kw_only=True)
class App:
    """A GitHub App, with at most one webhook."""

    kind: ClassVar = "integration"

    id: int
    client_id: str
    slug: str
    account: str
    """The login of its owner."""
    public_key: RSAPublicKey = field(repr=False)
    permissions: Permissions
    token_life: timedelta
    created_at: datetime
    hook: "Hook | None" = field(default=None, repr=False)
    installations: dict[int, "Installation"] = field(default_factory=dict, repr=False)
    tokens: list["InstallationToken"] = field(default_factory=list, repr=False)
    """All that were ever issued."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.slug

    def in_payloads(self) -> Json:
        """Give what the payload of an event says of it: who had it installed, if anybody."""
        for installation in self.installations.values():
            return {"installation": {"id": installation.id}}
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A hook's configuration and its log."""

    id: int
    owner: Organization | Repository | App
    url: str
    secret: str | None = field(repr=False)
    active: bool
    created_at: datetime
    log: Log = field(default_factory=Log, repr=False)

    @property
    def address(self) -> str:
        """Where the API has it."""
        if isinstance(self.owner, App):
            return "/app/hook"
        return f"{self.owner.address}/hooks/{self.id}"


@dataclass(slots=True, kw_only=True)
class Installation:
    """An App on an account: what it may do there."""

    id: int
    app: App
    account: str
    permissions: Permissions
    repositories: frozenset[str] | None
    """Full names in lower case, or None: all of the account."""
    created_at: datetime
    suspended_at: datetime | None = None

    def covers(self, target: Organization | Repository) -> bool:
        """Tell whether it reaches so far, whatever it may do there."""
        return target.account.lower() == self.account.lower() and (
            isinstance(target, Organization) or _among(target, self.repositories)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A personal access token: classic if it has `scopes`, else fine-grained."""

    permissions: Permissions = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    needs_sso: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationToken:
    """A token for what an installation may do, or less."""

    value: str = field(repr=False)
    installation: Installation = field(repr=False)
    permissions: Permissions
    repositories: frozenset[str] | None
    """Full names in lower case, or None: all the installation covers."""
    expires_at: datetime

    def covers(self, target: Organization | Repository) -> bool:
        """Tell whether it reaches so far, whatever it may do there."""
        return self.installation.covers(target) and (
            isinstance(target, Organization) or _among(target, self.repositories)
        )


def _among(repository: Repository, full_names: frozenset[str] | None) -> bool:
    return full_names is None or repository.full_name.lower() in full_names


class World:
    """Everything there is. What was never named does not exist."""

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
        self.limit = RateLimit(reset_at=clock() + LIMIT_WINDOW) if rate_limits else None
        self.points: PointLimit | None = None
        if points_per_minute is not None:
            self.points = PointLimit(per_minute=points_per_minute)
        self.tokens: dict[str, Token | InstallationToken] = {}
        self.requests: list[Request] = []
        self.at_once = Peak()
        self.apps: dict[int, App] = {}
        self._organizations: dict[str, Organization] = {}
        self._repositories: dict[str, Repository] = {}
        self._ids = itertools.count(510_000_001)
        self._user_ids: defaultdict[str, int] = defaultdict(self.new_id)

    @property
    def kept_from(self) -> datetime:
        """The instant before which deliveries are gone."""
        return self.now() - self.retention

    def new_id(self) -> int:
        """Give an id that nothing else has."""
        return next(self._ids)

    def name_organization(self, login: str) -> Organization:
        """Find an organization, or found it."""
        key = login.lower()
        if key not in self._organizations:
            self._organizations[key] = Organization(id=self.new_id(), login=login)
        return self._organizations[key]

    def name_repository(self, full_name: str) -> Repository:
        """Find a repository, or create it."""
        owner, slash, name = full_name.partition("/")
        if not (owner and slash and name):
            raise ValueError(f"a repository is named owner/name, not {full_name!r}")
        key = full_name.lower()
        if key not in self._repositories:
            self._repositories[key] = Repository(id=self.new_id(), full_name=full_name)
        return self._repositories[key]

    def organization(self, login: str) -> Organization | None:
        """Find an organization."""
        return self._organizations.get(login.lower())

    def repository(self, full_name: str) -> Repository | None:
        """Find a repository."""
        return self._repositories.get(full_name.lower())

    def repositories(self, installation: Installation) -> list[Repository]:
        """Find all repositories that an installation covers."""
        return [each for each in self._repositories.values() if installation.covers(each)]

    def account(self, login: str) -> Json:
        """Tell who has that login: an organization if one was named so, else a user."""
        organization = self.organization(login)
        if organization:
            return {"login": organization.login, "id": organization.id, "type": "Organization"}
        return {"login": login, "id": self._user_ids[login.lower()], "type": "User"}

    def new_hook(
        self,
        owner: Organization | Repository | App,
        *,
        url: str,
        secret: str | None,
        active: bool = True,
    ) -> Hook:
        """Make a hook; its owner does not know of it yet."""
        return Hook(
            id=self.new_id(),
            owner=owner,
            url=url,
            secret=secret,
            active=active,
            created_at=self.now(),
        )
