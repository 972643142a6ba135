"""From settings to a run: who asks, which webhooks, where the checkpoint is kept, how fast.

What differs between the doors comes in as a `Console`.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from redeliver.console import Console, LockedConsole
from redeliver.engine.ports import Hook, NullStore, Runtime, Store
from redeliver.engine.run import run
from redeliver.github_api.client import Client, Credential
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.credentials import AppCredential, InstallationCredential, TokenCredential
from redeliver.github_api.permissions import Permission
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.variable import VARIABLES, RepositoryVariable
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
"""How many redeliveries are asked for at the same time. GitHub allows 100 requests at once, and
in a minute 90 seconds of its computers' time, which with more workers would soon be used up. With
eight, a minute's worth is asked for within seconds.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""


def redeliver(
    settings: Settings,
    console: Console,
    *,
    store_in: Callable[[Callable[[], datetime]], Store] | None = None,
) -> Report:
    """Run once as the settings want it, or raise as `run` does.

    `store_in` makes another store than they name, given GitHub's clock.
    """
    console = LockedConsole(console)
    clock, throttle = ServerClock(), Throttle(console.say, per_minute=settings.max_per_minute)
    connection = _Connection(settings, console, clock, throttle)
    hooks = connection.hooks()
    store = connection.store(store_in)
    return run(
        hooks,
        store,
        Runtime(
            clock=clock,
            throttle=throttle,
            console=console,
            sleep=time.sleep,
            choose=random.sample,
            workers=WORKERS,
        ),
        settings.options,
    )


class _Connection:
    """GitHub, as those may use it who are named in the settings."""

    def __init__(
        self, settings: Settings, console: Console, clock: ServerClock, throttle: Throttle
    ) -> None:
        self._settings = settings
        self._console = console
        self._clock = clock
        self._throttle = throttle
        self._main = self._reader()

    def hooks(self) -> list[Hook]:
        """Return the webhooks that are asked for; to find all of them asks GitHub."""
        settings, web_url = self._settings, self._settings.web_url
        if not settings.org and not settings.repo:
            return [app_hook(self._main, web_url)]
        ids = settings.hook_ids
        if ids is None:
            ids, inactive = list_hooks(self._main, org=settings.org, repo=settings.repo)
            if inactive:
                told = ", ".join(map(str, inactive))
                self._console.say(f"Left out because they are not active: webhooks {told}")
        if settings.org:
            return [organization_hook(self._main, web_url, settings.org, each) for each in ids]
        return [repository_hook(self._main, web_url, settings.repo, each) for each in ids]

    def store(self, another: Callable[[Callable[[], datetime]], Store] | None) -> Store:
        """Return where the checkpoint is kept, with GitHub's time known as soon as it is read."""
        settings = self._settings
        if another or not settings.variable_name:
            self._be_told_the_time()
            return another(self._clock) if another else NullStore()
        # To read the variable asks GitHub, and any answer tells the time.
        client = self._main
        if settings.variable_token:
            client = self._client(
                TokenCredential(settings.variable_token, from_input="variable-token")
            )
        elif settings.app_id:
            # Wherever the webhook is, the App asks as it is installed on the variable's repository.
            path = f"/repos/{settings.variable_repository}"
            client = self._installation(path, VARIABLES, {"actions_variables": "write"})
        return RepositoryVariable(client, settings.variable_repository, settings.variable_name)

    def _be_told_the_time(self) -> None:
        """Have GitHub tell the time unless it has, which costs nothing of the rate limit.

        https://docs.github.com/en/rest/rate-limit/rate-limit
        """
        if self._clock.is_set:
            return
        purpose = Permission(inputs="'hostname'").to("ask GitHub for the time")
        # Enterprise Server answers 404 while its rate limits are off.
        self._main.request(
            "GET", "/rate_limit", purpose, expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        )

    def _reader(self) -> Client:
        """Return GitHub as it is to be asked about the webhooks."""
        settings = self._settings
        if settings.token:
            return self._client(TokenCredential(settings.token, from_input="token"))
        if settings.org:
            permissions = {"organization_hooks": "write"}
            return self._installation(f"/orgs/{settings.org}", ORGANIZATION, permissions)
        if settings.repo:
            permissions = {"repository_hooks": "write"}
            return self._installation(f"/repos/{settings.repo}", REPOSITORY, permissions)
        return self._app()

    def _app(self) -> Client:
        settings = self._settings
        return self._client(AppCredential(settings.app_id, settings.private_key, clock=self._clock))

    def _installation(
        self, path: str, permission: Permission, permissions: dict[str, str]
    ) -> Client:
        installation = InstallationCredential(
            self._app(),
            f"{path}/installation",
            permission.to(f"act as the GitHub App's installation on {path.split('/', 2)[2]}"),
            permissions,
            clock=self._clock,
            mask=self._console.mask,
        )
        return self._client(installation)

    def _client(self, credential: Credential) -> Client:
        return Client(
            credential, url=self._settings.api_url, clock=self._clock, throttle=self._throttle
        )
