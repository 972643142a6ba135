"""From settings to a run: who asks, which webhooks, where the checkpoint is kept, how fast.

What differs between the doors comes in as a `Console`.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from threading import Lock
from typing import ParamSpec

from redeliver.answer import Rights
from redeliver.api import Api, Credential
from redeliver.clock import Clock
from redeliver.credentials import App, Installation, Token
from redeliver.hooks import (
    ORGANIZATION,
    REPOSITORY,
    AppHook,
    OrganizationHook,
    RepositoryHook,
    hooks_of,
)
from redeliver.pace import Pace
from redeliver.ports import Hook, Store, Surroundings
from redeliver.report import Report
from redeliver.run import run
from redeliver.settings import Settings
from redeliver.store import VARIABLES, Nowhere, RepositoryVariable

P = ParamSpec("P")

WORKERS = 8
"""How many redeliveries are asked for at the same time. GitHub allows 100 requests at once, and
in a minute 90 seconds of its computers' time, which with more workers would soon be used up. With
eight, a minute's worth is asked for within seconds.
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where a run is seen."""

    say: Callable[[str], None]
    """Prints a line."""
    progress: Callable[[str, int, int | None], None]
    """Shows how much of something is done, and of how much; None if nobody knows."""
    mask: Callable[[str], None]
    """Is told each secret that GitHub issues, before anything else knows it."""


def carry_out(
    wanted: Settings,
    console: Console,
    *,
    store_in: Callable[[Callable[[], datetime]], Store] | None = None,
) -> Report:
    """Run once as the settings want it, or raise as `run` does.

    `store_in` makes another store than they name, given GitHub's clock.
    """
    console = _one_at_a_time(console)
    clock, pace = Clock(), Pace(console.say, per_minute=wanted.max_per_minute)
    connection = _Connection(wanted, console, clock, pace)
    hooks = connection.hooks()
    store = connection.store(store_in)
    return run(
        hooks,
        store,
        Surroundings(
            clock=clock,
            workers=WORKERS,
            pause=pace.pause,
            wait_turn=pace.wait_turn,
            hurry=pace.hurry,
            sleep=time.sleep,
            choose=random.sample,
            say=console.say,
            progress=console.progress,
        ),
        wanted.terms,
    )


def _one_at_a_time(console: Console) -> Console:
    """Let several threads use a console."""
    lock = Lock()

    def locked(use: Callable[P, None]) -> Callable[P, None]:
        def used(*args: P.args, **kwargs: P.kwargs) -> None:
            with lock:
                use(*args, **kwargs)

        return used

    return Console(
        say=locked(console.say), progress=locked(console.progress), mask=locked(console.mask)
    )


class _Connection:
    """GitHub, as those may use it who are named in the settings."""

    def __init__(self, wanted: Settings, console: Console, clock: Clock, pace: Pace) -> None:
        self._wanted = wanted
        self._console = console
        self._clock = clock
        self._pace = pace
        self._main = self._reader()

    def hooks(self) -> list[Hook]:
        """Return the webhooks that are asked for; to find all of them asks GitHub."""
        wanted, web_url = self._wanted, self._wanted.web_url
        if not wanted.org and not wanted.repo:
            return [AppHook(self._main, web_url)]
        ids = wanted.hook_ids
        if ids is None:
            ids, inactive = hooks_of(self._main, org=wanted.org, repo=wanted.repo)
            if inactive:
                told = ", ".join(map(str, inactive))
                self._console.say(f"Left out because they are not active: webhooks {told}")
        if wanted.org:
            return [OrganizationHook(self._main, web_url, wanted.org, each) for each in ids]
        return [RepositoryHook(self._main, web_url, wanted.repo, each) for each in ids]

    def store(self, another: Callable[[Callable[[], datetime]], Store] | None) -> Store:
        """Return where the checkpoint is kept, with GitHub's time known as soon as it is read."""
        wanted = self._wanted
        if another or not wanted.variable_name:
            self._be_told_the_time()
            return another(self._clock) if another else Nowhere()
        # To read the variable asks GitHub, and any answer tells the time.
        api = self._main
        if wanted.variable_token:
            api = self._api(Token(wanted.variable_token, from_input="variable-token"))
        elif wanted.app_id:
            # Wherever the webhook is, the App asks as it is installed on the variable's repository.
            path = f"/repos/{wanted.variable_repository}"
            api = self._installation(path, VARIABLES, {"actions_variables": "write"})
        return RepositoryVariable(api, wanted.variable_repository, wanted.variable_name)

    def _be_told_the_time(self) -> None:
        """Have GitHub tell the time unless it has, which costs nothing of the rate limit.

        https://docs.github.com/en/rest/rate-limit/rate-limit
        """
        if self._clock.is_set:
            return
        purpose = Rights(named_by="'hostname'").to("ask GitHub for the time")
        # Enterprise Server answers 404 while its rate limits are off.
        self._main.ask("GET", "/rate_limit", purpose, expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND})

    def _reader(self) -> Api:
        """Return GitHub as it is to be asked about the webhooks."""
        wanted = self._wanted
        if wanted.token:
            return self._api(Token(wanted.token, from_input="token"))
        if wanted.org:
            permissions = {"organization_hooks": "write"}
            return self._installation(f"/orgs/{wanted.org}", ORGANIZATION, permissions)
        if wanted.repo:
            permissions = {"repository_hooks": "write"}
            return self._installation(f"/repos/{wanted.repo}", REPOSITORY, permissions)
        return self._app()

    def _app(self) -> Api:
        wanted = self._wanted
        return self._api(App(wanted.app_id, wanted.private_key, clock=self._clock))

    def _installation(self, path: str, rights: Rights, permissions: dict[str, str]) -> Api:
        installation = Installation(
            self._app(),
            f"{path}/installation",
            rights.to(f"act as the GitHub App's installation on {path.split('/', 2)[2]}"),
            permissions,
            clock=self._clock,
            mask=self._console.mask,
        )
        return self._api(installation)

    def _api(self, credential: Credential) -> Api:
        return Api(credential, url=self._wanted.api_url, clock=self._clock, pace=self._pace)
