"""Compose a run from settings: clients, credentials, webhooks, the checkpoint's store, throttle.

Workflows and the command differ only in the `Console`, and in where the checkpoint is kept.
"""

import random
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from redeliver import interruption
from redeliver.console import Console, LockedConsole
from redeliver.engine.ports import Hook, NullStore, Runtime, Store
from redeliver.engine.run import run
from redeliver.github_api.checkpoint_variable import VARIABLES, RepositoryVariable
from redeliver.github_api.client import Client, Credential
from redeliver.github_api.credentials import (
    AppCredential,
    AppInstallation,
    InstallationCredential,
    TokenCredential,
)
from redeliver.github_api.facts import Facts
from redeliver.github_api.permissions import Permission
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import (
    ORGANIZATION,
    REPOSITORY,
    app_hook,
    list_hooks,
    organization_hook,
    repository_hook,
)
from redeliver.reporting.report import Report
from redeliver.settings import Settings

WORKERS = 8
"""How many redeliveries are under way at the same time. GitHub allows 100 concurrent requests, and
90 seconds of CPU time per minute, which more workers would soon use up. With eight, a minute's
redeliveries are requested within seconds.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""


def redeliver(
    settings: Settings,
    console: Console,
    *,
    store_in: Callable[[Callable[[], datetime]], Store] | None = None,
) -> Report:
    """Run once with these settings, or raise as `run` does.

    `store_in` makes another store than the settings describe; it is called with GitHub's clock.
    """
    console = LockedConsole(console)
    clock, facts = ServerClock(), Facts()
    throttle = Throttle(console.detail, per_minute=settings.max_per_minute)
    connection = _Connection(settings, console, clock, facts, throttle)
    return run(
        connection.hooks(),
        connection.store(store_in),
        Runtime(
            clock=clock,
            retention=lambda: facts.retention,
            token_expirations=lambda: facts.token_expirations,
            random=lambda: random.randrange(1000),  # noqa: S311 - no secret
            throttle=throttle,
            console=console,
            sleep=interruption.sleep,
            workers=WORKERS,
        ),
        settings.options,
    )


class _Connection:
    """Makes the clients, webhooks and store that the settings describe."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        clock: ServerClock,
        facts: Facts,
        throttle: Throttle,
    ) -> None:
        self._settings = settings
        self._console = console
        self._clock = clock
        self._facts = facts
        self._throttle = throttle
        self._installations: dict[str, AppInstallation] = {}
        """By the account in lower case."""
        self._main = self._webhook_client()

    def hooks(self) -> list[Hook]:
        """Return the webhooks to redeliver for; finding all of them takes requests."""
        settings, web_url = self._settings, self._settings.web_url
        if not settings.org and not settings.repo:
            return [app_hook(self._main, web_url)]
        # GitHub does not say of a single webhook's log whether the webhook is active.
        hooks = dict.fromkeys(settings.hook_ids or (), True)
        if settings.hook_ids is None:
            hooks = list_hooks(self._main, org=settings.org, repo=settings.repo)
            if off := [str(hook_id) for hook_id, is_active in hooks.items() if not is_active]:
                self._console.remark(
                    f"These webhooks are switched off: {', '.join(off)}. Their failed events are "
                    "deferred to a later run"
                )
        make, owner = (
            (organization_hook, settings.org) if settings.org else (repository_hook, settings.repo)
        )
        return [
            make(self._main, web_url, owner, hook_id, is_active=is_active)
            for hook_id, is_active in hooks.items()
        ]

    def store(self, another: Callable[[Callable[[], datetime]], Store] | None) -> Store:
        """Return where the checkpoint is kept. GitHub's time is known once it has been read."""
        settings = self._settings
        is_kept = not settings.options.is_replay and (another or settings.variable_name)
        if another or not is_kept:
            self._learn_time()
            return another(self._clock) if another and is_kept else NullStore()
        # Reading a variable takes a request, and every response has the time.
        client = self._main
        if settings.variable_token:
            client = self._client(
                TokenCredential(settings.variable_token, from_input="variable-token")
            )
        elif settings.app_id:
            # The repository of the variable can have another owner than the webhook, so another
            # installation of the App.
            path = f"/repos/{settings.variable_repository}"
            client = self._installation_client(path, VARIABLES, {"actions_variables": "write"})
        return RepositoryVariable(client, settings.variable_repository, settings.variable_name)

    def _learn_time(self) -> None:
        """Request GitHub's time unless it is known; this does not count for the rate limit.

        https://docs.github.com/en/rest/rate-limit/rate-limit
        """
        if self._clock.is_set:
            return
        purpose = Permission(inputs="'hostname'").to("get the time from GitHub")
        # Enterprise Server responds with 404 while its rate limits are off.
        self._main.request(
            "GET", "/rate_limit", purpose, expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        )

    def _webhook_client(self) -> Client:
        """Return the client for everything but the variable."""
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
