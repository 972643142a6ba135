"""Compose a run from settings: webhooks, the checkpoint's store, throttle.

Workflows and the command differ only in the `Console`, and in where the checkpoint is kept.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from redeliver import interruption
from redeliver.clients import Clients
from redeliver.console import Console, LockedConsole
from redeliver.core.repository_filter import ALL_REPOSITORIES, RepositoryFilter
from redeliver.engine.ports import Hook, NullStore, Runtime, Store
from redeliver.engine.run import run
from redeliver.github_api.checkpoint_variable import RepositoryVariable
from redeliver.github_api.facts import Facts
from redeliver.github_api.permissions import Permission
from redeliver.github_api.repositories import find_repositories
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import (
    app_hook,
    find_hook,
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
    clients = Clients(settings, console, clock, facts, throttle)
    targets = _Targets(settings, console, clock, clients)
    hooks, repositories = targets.hooks(), targets.repositories()
    policy = replace(settings.options.policy, repositories=repositories)
    return run(
        hooks,
        targets.store(store_in),
        Runtime(
            clock=clock,
            monotonic=time.monotonic,
            retention=lambda: facts.retention,
            receiver_timeout=lambda: facts.receiver_timeout,
            token_expirations=lambda: facts.token_expirations,
            random=lambda: random.randrange(1000),  # noqa: S311 - no secret
            throttle=throttle,
            console=console,
            sleep=interruption.sleep,
            workers=WORKERS,
        ),
        replace(settings.options, policy=policy),
    )


class _Targets:
    """Makes the webhooks and the store that the settings describe."""

    def __init__(
        self, settings: Settings, console: Console, clock: ServerClock, clients: Clients
    ) -> None:
        self._settings = settings
        self._console = console
        self._clock = clock
        self._clients = clients

    def hooks(self) -> list[Hook]:
        """Return the webhooks to redeliver for; finding all of them takes requests."""
        settings, web_url = self._settings, self._settings.web_url
        if not settings.org and not settings.repo:
            return [app_hook(self._clients.main, web_url)]
        # GitHub does not say of a single webhook's log whether the webhook is active.
        hooks = dict.fromkeys(settings.hook_ids or (), True)
        if settings.hook_url:
            client = self._clients.main
            hooks = find_hook(client, settings.hook_url, org=settings.org, repo=settings.repo)
        elif settings.hook_ids is None:
            hooks = list_hooks(self._clients.main, org=settings.org, repo=settings.repo)
        make, owner = (
            (organization_hook, settings.org) if settings.org else (repository_hook, settings.repo)
        )
        found = [
            make(self._clients.main, web_url, owner, hook_id, is_active=is_active)
            for hook_id, is_active in hooks.items()
        ]
        if settings.hook_url:
            self._console.detail(f"The payload URL of {found[0].webhook.name} matches 'hook-url'")
        if off := [str(hook.webhook.id) for hook in found if not hook.webhook.is_active]:
            self._console.remark(
                f"These webhooks are switched off: {', '.join(off)}. Nothing is "
                "redelivered for them until they are switched on"
            )
        return list(found)

    def repositories(self) -> RepositoryFilter:
        """Return the repositories to redeliver for; finding them by name takes requests."""
        settings = self._settings
        if not settings.repository_patterns:
            return ALL_REPOSITORIES
        return find_repositories(
            settings.repository_patterns,
            self._clients.for_repositories,
            # An App's own webhook gets events only of what its installations cover.
            of_installation=not settings.org,
        )

    def store(self, another: Callable[[Callable[[], datetime]], Store] | None) -> Store:
        """Return where the checkpoint is kept. GitHub's time is known once it has been read."""
        settings = self._settings
        is_kept = not settings.options.is_replay and (another or settings.variable_name)
        if another or not is_kept:
            self._learn_time()
            return another(self._clock) if another and is_kept else NullStore()
        # Reading a variable takes a request, and every response has the time.
        return RepositoryVariable(
            self._clients.for_variable(), settings.variable_repository, settings.variable_name
        )

    def _learn_time(self) -> None:
        """Request GitHub's time unless it is known; this does not count for the rate limit.

        https://docs.github.com/en/rest/rate-limit/rate-limit
        """
        if self._clock.is_set:
            return
        purpose = Permission(inputs="'hostname'").to("get the time from GitHub")
        # Enterprise Server responds with 404 while its rate limits are off.
        self._clients.main.request(
            "GET", "/rate_limit", purpose, expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND}
        )
