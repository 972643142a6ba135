"""The entities of the simulated GitHub: organizations, repositories, Apps, hooks and tokens.

Data only. `State` creates all of it, and only code on the server's event loop may change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from github_sandbox.model.delivery_log import DeliveryLog
from github_sandbox.model.formats import Json

Access: TypeAlias = Literal["read", "write"]
Permissions: TypeAlias = Mapping[str, Access]


REPOSITORY_PERMISSIONS = frozenset({"repository_hooks", "actions_variables"})


def grants(permissions: Permissions, permission: str, access: str) -> bool:
    """Return whether `permissions` include that access. Write access includes read access.

    Every permission for repositories includes reading their metadata.
    """
    granted = permissions.get(permission)
    if permission == "metadata" and permissions.keys() & REPOSITORY_PERMISSIONS:
        granted = "read"
    return granted is not None and access in {granted, "read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationState:
    """An organization. Its `hooks` are by id."""

    kind: ClassVar = "organization"

    id: int
    login: str
    hooks: dict[int, "HookState"] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> str:
        """The login of the account that owns it, which is the organization itself."""
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
        """Return the part of an event's payload that describes the organization."""
        return {"organization": {"id": self.id, "login": self.login}}


@dataclass(slots=True, kw_only=True)
class RepositoryState:
    """A repository. Its `hooks` are by id, its Actions `variables` by their upper-case names.

    A test may read and change `variables` directly. Only the API writes `variable_times`.
    """

    kind: ClassVar = "repository"

    id: int
    full_name: str
    hooks: dict[int, "HookState"] = field(default_factory=dict, repr=False)
    variables: dict[str, str] = field(default_factory=dict)
    variable_times: dict[str, tuple[datetime, datetime]] = field(default_factory=dict, repr=False)
    """The times when the API created and last updated a variable, by name."""

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
        """Return the part of an event's payload that describes the repository."""
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
    created_at: datetime
    hook: "HookState | None" = field(default=None, repr=False)
    installations: dict[int, "InstallationState"] = field(default_factory=dict, repr=False)
    tokens: list["InstallationToken"] = field(default_factory=list, repr=False)
    """All tokens ever issued to the App's installations."""

    @property
    def name(self) -> str:
        """Its slug, as the owner of a hook."""
        return self.slug

    def event_payload(self) -> Json:
        """Return the App's part of an event's payload: its first installation, if any."""
        for installation in self.installations.values():
            return {"installation": {"id": installation.id}}
        return {}


@dataclass(slots=True, kw_only=True)
class HookState:
    """A hook's configuration and its delivery log."""

    id: int
    owner: OrganizationState | RepositoryState | AppState
    url: str
    secret: str | None = field(repr=False)
    active: bool
    deleted: bool = False
    created_at: datetime
    updated_at: datetime
    log: DeliveryLog = field(repr=False)

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
        """Return whether the target is the account, or one of its selected repositories."""
        is_of_account = target.account.lower() == self.account.lower()
        return is_of_account and _is_selected(target, self.repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """A personal access token: classic if it has `scopes`, else fine-grained."""

    permissions: Permissions = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    needs_sso: bool = False
    expires_at: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        """Return whether the token's end has come."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLag:
    """How often GitHub refuses a new installation token, because not all servers know it yet."""

    requests: int = 0
    status: Literal[401, 403] = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationToken:
    """A token that was issued to an installation, for all its permissions or fewer."""

    value: str = field(repr=False)
    installation: InstallationState = field(repr=False)
    permissions: Permissions
    repositories: frozenset[str] | None
    """Full names in lower case, or None for all that the installation covers."""
    expires_at: datetime
    lag: TokenLag = field(repr=False)

    def has_expired(self, now: datetime) -> bool:
        """Return whether the token's end has come."""
        return self.expires_at <= now

    def covers(self, target: OrganizationState | RepositoryState) -> bool:
        """Return whether the installation covers the target, and so does the token's selection."""
        return self.installation.covers(target) and _is_selected(target, self.repositories)


def _is_selected(
    target: OrganizationState | RepositoryState, full_names: frozenset[str] | None
) -> bool:
    # A selection of repositories does not restrict access to their organization.
    if full_names is None or isinstance(target, OrganizationState):
        return True
    return target.full_name.lower() in full_names
