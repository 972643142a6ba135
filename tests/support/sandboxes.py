"""A sandbox as most tests need it, and redeliver's own clients for it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from github_sandbox import App, Hook, Sandbox
from redeliver.core.delivery import Delivery, HookId, StatusFilter
from redeliver.github_api.client import Client
from redeliver.github_api.credentials import AppCredential, TokenCredential
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.facts import Facts
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import organization_hook, repository_hook
from tests.support.builders import TOKEN
from tests.support.fakes import FakeTime

PER_MINUTE = 75

WEB_URL = "https://github.com"
"""What the pages of webhooks begin with. A run reads the logs in the order of these pages, so a
sandbox's own URL would make the order random: its port is."""


@contextmanager
def running(sandbox: Sandbox, *, token: str = TOKEN) -> Iterator[Sandbox]:
    """Start a sandbox with repository acme/ops and a token with all permissions for the action."""
    with sandbox as github:
        github.token(
            token,
            organization_hooks="write",
            repository_hooks="write",
            actions_variables="write",
        )
        github.repository("acme/ops")
        yield github


def a_throttle(lines: list[str] | None = None, *, time: FakeTime | None = None) -> Throttle:
    """Return a throttle whose waits only advance `time`. It logs to `lines`."""
    time = time or FakeTime()
    lines = [] if lines is None else lines
    return Throttle(lines.append, per_minute=PER_MINUTE, clock=time, sleep=time.sleep)


def a_client(
    url: str,
    token: str = TOKEN,
    *,
    token_input: str = "token",
    clock: ServerClock | None = None,
    facts: Facts | None = None,
    throttle: Throttle | None = None,
) -> Client:
    """Return a client whose waits take no time."""
    return Client(
        TokenCredential(token, from_input=token_input),
        url=url,
        clock=clock or ServerClock(),
        facts=facts or Facts(),
        throttle=throttle or a_throttle(),
    )


def an_app_client(app: App, *, url: str, clock: ServerClock, throttle: Throttle) -> Client:
    """Return a client that authenticates as a GitHub App, with its JWT."""
    return Client(
        AppCredential(str(app.id), app.private_key, clock=clock),
        url=url,
        clock=clock,
        facts=Facts(),
        throttle=throttle,
    )


def a_delivery_log(github: Sandbox, hook: Hook, client: Client | None = None) -> DeliveryLog:
    """Return the log of an organization's or a repository's webhook, as redeliver reads it."""
    client = client or a_client(github.url)
    of_owner = repository_hook if "/" in hook.owner else organization_hook
    return of_owner(client, WEB_URL, hook.owner, HookId(hook.id))


def rows_of(log: DeliveryLog, status: StatusFilter = StatusFilter.ALL) -> Iterator[Delivery]:
    """Yield the rows of a log; request a page only when needed."""
    return itertools.chain.from_iterable(page.rows for page in log.pages(status))
