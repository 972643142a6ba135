"""What GitHub knows: organizations, hooks, repositories, tokens, the rate limit.

State only: no HTTP. The server's event loop owns it.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from github_sandbox.clock import Clock
from github_sandbox.log import Log

Access: TypeAlias = Literal["read", "write"]

PRIMARY_LIMIT = 5000
LIMIT_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A personal access token: classic if it has `scopes`, else fine-grained."""

    permissions: Mapping[str, Access] = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    needs_sso: bool = False

    def permits(self, permission: str, access: Access) -> bool:
        """Tell whether a fine-grained token goes that far. To write is to read as well."""
        return self.permissions.get(permission) in {access, "write"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request the sandbox got.

    `status` is None while it is unanswered, and for good if the connection was dropped.
    """

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None = field(repr=False)
    status: int | None = None


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """The primary rate limit. GitHub counts per user, so all tokens share it."""

    reset_at: datetime
    remaining: int = PRIMARY_LIMIT

    @property
    def used(self) -> int:
        """How many requests were counted."""
        return PRIMARY_LIMIT - self.remaining

    @property
    def reset(self) -> int:
        """When to come back, in whole seconds since 1970."""
        # Rounded up: who comes at exactly this time must not be too early.
        return math.ceil(self.reset_at.timestamp())

    def renew(self, now: datetime) -> None:
        """Begin anew if it is time."""
        if now >= self.reset_at:
            self.remaining = PRIMARY_LIMIT
            self.reset_at = now + LIMIT_WINDOW

    def spend(self, now: datetime) -> bool:
        """Count one request, or tell that there is none left."""
        self.renew(now)
        if self.remaining == 0:
            return False
        self.remaining -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationHook:
    """A hook's configuration and its log."""

    id: int
    organization: "Organization"
    url: str
    secret: str | None = field(repr=False)
    created_at: datetime
    log: Log = field(default_factory=Log, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization and its hooks, by id."""

    id: int
    login: str
    hooks: dict[int, OrganizationHook] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Repository:
    """A repository and its Actions variables, by their upper-case names.

    A test may read and change `variables` as it likes; only what the API does is `touched`.
    """

    full_name: str
    variables: dict[str, str] = field(default_factory=dict)
    touched: dict[str, tuple[datetime, datetime]] = field(default_factory=dict, repr=False)
    """When a variable was made and when it was last changed."""


class World:
    """Everything there is. What was never named does not exist."""

    def __init__(self, *, clock: Clock, retention: timedelta) -> None:
        self.now = clock
        self.retention = retention
        self.limit = RateLimit(reset_at=clock() + LIMIT_WINDOW)
        self.tokens: dict[str, Token] = {}
        self.requests: list[Request] = []
        self._organizations: dict[str, Organization] = {}
        self._repositories: dict[str, Repository] = {}
        self._ids = itertools.count(510_000_001)

    @property
    def kept_from(self) -> datetime:
        """The instant before which deliveries are gone."""
        return self.now() - self.retention

    def name_organization(self, login: str) -> Organization:
        """Find an organization, or found it."""
        key = login.lower()
        if key not in self._organizations:
            self._organizations[key] = Organization(id=next(self._ids), login=login)
        return self._organizations[key]

    def name_repository(self, full_name: str) -> Repository:
        """Find a repository, or create it."""
        owner, slash, name = full_name.partition("/")
        if not (owner and slash and name):
            raise ValueError(f"a repository is named owner/name, not {full_name!r}")
        return self._repositories.setdefault(full_name.lower(), Repository(full_name))

    def organization(self, login: str) -> Organization | None:
        """Find an organization."""
        return self._organizations.get(login.lower())

    def repository(self, full_name: str) -> Repository | None:
        """Find a repository."""
        return self._repositories.get(full_name.lower())

    def add_hook(
        self, organization: Organization, *, url: str, secret: str | None
    ) -> OrganizationHook:
        """Create a hook of the organization."""
        hook = OrganizationHook(
            id=next(self._ids),
            organization=organization,
            url=url,
            secret=secret,
            created_at=self.now(),
        )
        organization.hooks[hook.id] = hook
        return hook
