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
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import ORGANIZATION, REPOSITORY
from redeliver.settings import Settings


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
            return self._installation_client(path, VARIABLES, {"actions_variables": "write"})
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
            permissions = {"organization_hooks": "write"}
            return self._installation_client(f"/orgs/{settings.org}", ORGANIZATION, permissions)
        if settings.repo:
            permissions = {"repository_hooks": "write"}
            return self._installation_client(f"/repos/{settings.repo}", REPOSITORY, permissions)
        return self._app_client()

    def _app_client(self) -> Client:
        settings = self._settings
        return self._client(AppCredential(settings.app_id, settings.private_key, clock=self._clock))

    def _installation_client(
        self, path: str, permission: Permission, permissions: dict[str, str]
    ) -> Client:
        """Return a client with tokens of the App's installation for what is at `path`."""
        target = path.split("/", 2)[2]
        purpose = permission.to(f"authenticate as the GitHub App's installation on {target}")
        account, _, repository = target.partition("/")
        if account.lower() not in self._installations:
            self._installations[account.lower()] = AppInstallation(
                self._app_client(), f"{path}/installation", purpose
            )
        credential = InstallationCredential(
            self._installations[account.lower()],
            purpose,
            permissions=permissions,
            repository=repository,
            clock=self._clock,
            mask=self._console.mask,
        )
        return self._client(credential)

    def _client(self, credential: Credential) -> Client:
        return Client(
            credential,
            url=self._settings.api_url,
            clock=self._clock,
            facts=self._facts,
            throttle=self._throttle,
        )
