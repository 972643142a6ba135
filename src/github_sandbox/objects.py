"""Organizations, repositories, Apps and installations, as tests set them up and inspect them.

Every method may be called from any thread, and returns when it has taken effect.
"""

from collections.abc import Collection

from github_sandbox.backend import Backend
from github_sandbox.hook import Hook
from github_sandbox.model.entities import (
    AppState,
    InstallationState,
    InstallationToken,
    OrganizationState,
    Permissions,
    RepositoryState,
)


class Organization:
    """An organization."""

    def __init__(self, backend: Backend, login: str) -> None:
        """Call `Sandbox.org` instead."""
        self._backend = backend
        self._state = backend.server.call(lambda: backend.state.get_or_create_organization(login))

    def hook(self, url: str, *, secret: str | None = None, active: bool = True) -> Hook:
        """Add a hook that delivers every event to `url`."""
        return _add_hook(self._backend, self._state, url, secret=secret, active=active)


class Repository:
    """A repository."""

    def __init__(self, backend: Backend, full_name: str) -> None:
        """Call `Sandbox.repository` instead."""
        self._backend = backend
        self._state = backend.server.call(lambda: backend.state.get_or_create_repository(full_name))
        self.id = self._state.id

    @property
    def variables(self) -> dict[str, str]:
        """The Actions variables by their upper-case names. A test may change them directly."""
        return self._state.variables

    @variables.setter
    def variables(self, variables: dict[str, str]) -> None:
        self._state.variables = variables

    def hook(self, url: str, *, secret: str | None = None, active: bool = True) -> Hook:
        """Add a hook that delivers every event to `url`."""
        return _add_hook(self._backend, self._state, url, secret=secret, active=active)


class App:
    """A GitHub App."""

    def __init__(self, backend: Backend, state: AppState, private_key: str) -> None:
        """Call `Sandbox.app` instead."""
        self._backend = backend
        self._state = state
        self.id = state.id
        self.client_id = state.client_id
        self.slug = state.slug
        self.private_key = private_key
        """In PEM format, as users download it from GitHub."""

    @property
    def tokens(self) -> list[InstallationToken]:
        """All tokens ever issued to the App's installations, oldest first."""
        return self._backend.server.call(self._state.tokens.copy)

    def hook(self, url: str, *, secret: str | None = None) -> Hook:
        """Set the App's only webhook, which delivers every event to `url`."""
        return _add_hook(self._backend, self._state, url, secret=secret)

    def install(
        self,
        account: str,
        permissions: Permissions | None = None,
        repositories: Collection[str] | None = None,
    ) -> "Installation":
        """Install the App on an organization, or on a user if no organization has that login.

        By default the installation has the App's own permissions, and covers all repositories of
        the account. `repositories` are full names.
        """
        backend = self._backend
        installation = backend.server.call(
            lambda: backend.state.add_installation(self._state, account, permissions, repositories)
        )
        return Installation(backend, installation)


class Installation:
    """The installation of an App on an account."""

    def __init__(self, backend: Backend, state: InstallationState) -> None:
        """Call `App.install` instead."""
        self._backend = backend
        self._state = state
        self.id = state.id

    def suspend(self) -> None:
        """Suspend the installation: its tokens stop working, and it gets no new ones."""

        def suspend() -> None:
            self._state.suspended_at = self._backend.state.now()

        self._backend.server.call(suspend)


def _add_hook(
    backend: Backend,
    owner: OrganizationState | RepositoryState | AppState,
    url: str,
    *,
    secret: str | None,
    active: bool = True,
) -> Hook:
    hook = backend.server.call(
        lambda: backend.state.add_hook(owner, url=url, secret=secret, active=active)
    )
    return Hook(backend, hook)
