"""Make the clients of a run: with a token, or as a GitHub App and its installations."""

from redeliver.console import Console
from redeliver.github_api.checkpoint_variable import VARIABLES
from redeliver.github_api.client import Client
from redeliver.github_api.credential import Credential
from redeliver.github_api.credentials import (
    AppCredential,
    AppInstallation,
    InstallationCredential,
    TokenCredential,
)
from redeliver.github_api.facts import Facts
from redeliver.github_api.permissions import Permission
from redeliver.github_api.repositories import METADATA
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.shared_token import SharedToken, SharingCredential
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import ORGANIZATION, REPOSITORY
from redeliver.settings import Settings

WRITE_ORGANIZATION_HOOKS = {"organization_hooks": "write"}
WRITE_REPOSITORY_HOOKS = {"repository_hooks": "write"}
WRITE_VARIABLES = {"actions_variables": "write"}


class Clients:
    """Makes clients with the credentials that the settings describe."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        clock: ServerClock,
        facts: Facts,
        throttle: Throttle,
    ) -> None:
        """Mask new tokens on `console`. All clients share `clock`, `facts` and `throttle`."""
        self._settings = settings
        self._console = console
        self._clock = clock
        self._facts = facts
        self._throttle = throttle
        self._installations: dict[str, AppInstallation] = {}
        """By the account in lower case."""
        self._shared = self._shared_token()
        self.main = self._main()
        """For webhooks, and with a token for all that needs no other token."""

    def for_variable(self) -> Client:
        """Return the client that reads and writes the checkpoint's variable."""
        settings = self._settings
        if settings.variable_token:
            return self._client(
                TokenCredential(settings.variable_token, from_input="variable-token")
            )
        if settings.app_id:
            # The repository of the variable can have another owner than the webhook, so another
            # installation of the App.
            path = f"/repos/{settings.variable_repository}"
            return self._installation_client(path, VARIABLES, WRITE_VARIABLES, self._shared)
        return self.main

    def for_repositories(self, owner: str) -> Client:
        """Return the client that finds the repositories of `owner`."""
        if not self._settings.app_id:
            return self.main
        # The path of users finds the installation on an organization, too.
        org = self._settings.org
        path = f"/orgs/{org}" if org else f"/users/{owner}"
        return self._installation_client(path, METADATA, {"metadata": "read"})

    def _main(self) -> Client:
        settings = self._settings
        if settings.token:
            return self._client(TokenCredential(settings.token, from_input="token"))
        if settings.org:
            path = f"/orgs/{settings.org}"
            return self._installation_client(
                path, ORGANIZATION, WRITE_ORGANIZATION_HOOKS, self._shared
            )
        if settings.repo:
            path = f"/repos/{settings.repo}"
            return self._installation_client(path, REPOSITORY, WRITE_REPOSITORY_HOOKS, self._shared)
        return self._app_client()

    def _shared_token(self) -> SharedToken | None:
        """Return one token for webhooks and variable if it permits no more than two would.

        That is so for an organization's webhooks and a variable of one of its repositories, and for
        webhooks and variable of the same repository.
        """
        settings = self._settings
        has_variable = settings.variable_name and not settings.options.is_replay
        if not settings.app_id or settings.variable_token or not has_variable:
            return None
        variable = settings.variable_repository
        owner, _, repository = variable.partition("/")
        if settings.org and settings.org.lower() == owner.lower():
            path, permission = f"/orgs/{settings.org}", ORGANIZATION
            permissions = WRITE_ORGANIZATION_HOOKS | WRITE_VARIABLES
        elif settings.repo and settings.repo.lower() == variable.lower():
            path, permission = f"/repos/{settings.repo}", REPOSITORY
            permissions = WRITE_REPOSITORY_HOOKS | WRITE_VARIABLES
        else:
            return None
        return SharedToken(
            self._installation_credential(path, permission, permissions, repository=repository)
        )

    def _app_client(self) -> Client:
        settings = self._settings
        return self._client(AppCredential(settings.app_id, settings.private_key, clock=self._clock))

    def _installation_client(
        self,
        path: str,
        permission: Permission,
        permissions: dict[str, str],
        shared: SharedToken | None = None,
    ) -> Client:
        """Return a client with tokens of the App's installation for what is at `path`.

        While GitHub issues the `shared` token, use that.
        """
        own = self._installation_credential(path, permission, permissions)
        return self._client(SharingCredential(shared, own) if shared else own)

    def _installation_credential(
        self, path: str, permission: Permission, permissions: dict[str, str], repository: str = ""
    ) -> InstallationCredential:
        """Limit the tokens to these permissions, and to `repository` or the one in `path`."""
        target = path.split("/", 2)[2]
        purpose = permission.to(f"authenticate as the GitHub App's installation on {target}")
        account, _, name = target.partition("/")
        if account.lower() not in self._installations:
            self._installations[account.lower()] = AppInstallation(
                self._app_client(), f"{path}/installation", purpose
            )
        return InstallationCredential(
            self._installations[account.lower()],
            purpose,
            permissions=permissions,
            repository=repository or name,
            clock=self._clock,
            mask=self._console.mask,
        )

    def _client(self, credential: Credential) -> Client:
        return Client(
            credential,
            url=self._settings.api_url,
            clock=self._clock,
            facts=self._facts,
            throttle=self._throttle,
        )
