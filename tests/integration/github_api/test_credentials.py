"""Installation tokens of an App: requested, used and replaced; and invalid responses."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from aiohttp import web

from github_sandbox import Fault, InvalidBody, Sandbox, Status, VirtualClock
from github_sandbox.faults import Work
from redeliver.errors import AccessError, UnavailableError
from redeliver.github_api.client import Client
from redeliver.github_api.credentials import AppCredential, AppInstallation, InstallationCredential
from redeliver.github_api.permissions import Permission
from redeliver.github_api.product import Product
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.webhooks import list_hooks
from tests.support.sandboxes import a_throttle

INSTALLATION = "/orgs/acme/installation"
TOKENS = "/app/installations/.*/access_tokens"


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock with the real time: a client dates its first JWT by the runner's clock."""
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def masked() -> list[str]:
    """Return the secrets that `client` has masked."""
    return []


@pytest.fixture
def client(github: Sandbox, masked: list[str]) -> Client:
    """Return a client that uses tokens of an App's installation on acme."""
    github.org("acme")
    app = github.app(slug="redeliver-bot", owner="acme")
    app.install("acme")
    clock = ServerClock()
    throttle = a_throttle([])
    app_client = Client(
        AppCredential(str(app.id), app.private_key, clock=clock),
        url=github.url,
        clock=clock,
        product=Product(),
        throttle=throttle,
    )
    purpose = Permission(inputs="'org'").to("act as the App")
    installation = InstallationCredential(
        AppInstallation(app_client, INSTALLATION, purpose),
        purpose,
        permissions={"organization_hooks": "write"},
        clock=clock,
        mask=masked.append,
    )
    return Client(installation, url=github.url, clock=clock, product=Product(), throttle=throttle)


def test_one_token_serves_many_requests_and_is_masked(
    github: Sandbox, client: Client, masked: list[str]
) -> None:
    for _ in range(3):
        list_hooks(client, org="acme")

    installation, token, *lists = github.requests
    assert installation.path == INSTALLATION
    assert re.fullmatch(TOKENS, token.path)
    assert len(lists) == 3
    assert masked == [lists[0].token]


def token_response(**body: str) -> Status:
    return Status(201, body={"token": "ghs_x", "expires_at": "2026-11-24T12:00:00Z"} | body)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        pytest.param(INSTALLATION, Status(200, body={"id": "7"}), id="no installation id"),
        pytest.param(INSTALLATION, InvalidBody(), id="a web page"),
        pytest.param(
            TOKENS, Status(201, body={"expires_at": "2026-11-24T12:00:00Z"}), id="no token"
        ),
        pytest.param(TOKENS, token_response(expires_at="soon"), id="an invalid time"),
        pytest.param(TOKENS, token_response(token="ghs_x\n::error::"), id="an invalid token"),
        pytest.param(TOKENS, token_response(token=""), id="an empty token"),
    ],
)
def test_an_invalid_response_is_an_error(
    github: Sandbox, client: Client, masked: list[str], path: str, fault: Fault
) -> None:
    github.inject(fault, path=path, times=None)

    with pytest.raises(UnavailableError, match="did not come from GitHub's API"):
        list_hooks(client, org="acme")

    assert masked == []


def test_requests_for_a_token_are_repeated_after_a_fault(github: Sandbox, client: Client) -> None:
    github.inject(Status(502), path=INSTALLATION)
    github.inject(Status(502), path=TOKENS)

    assert list_hooks(client, org="acme") == {}


def test_a_token_that_github_refuses_is_replaced_once(github: Sandbox, client: Client) -> None:
    github.inject(Status(401, "Bad credentials"), path="/orgs/acme/hooks", times=None)

    with pytest.raises(AccessError, match="does not recognise the GitHub App"):
        list_hooks(client, org="acme")

    assert [r.status for r in github.requests if r.path == "/orgs/acme/hooks"] == [401, 401]


def test_a_rate_limit_error_names_the_apps_installation(github: Sandbox, client: Client) -> None:
    limited = Status(429, "Slow down", headers={"Retry-After": "3600"})
    github.inject(limited, path="/orgs/acme/hooks", times=None)

    with pytest.raises(UnavailableError, match="all requests of an App's installation together"):
        list_hooks(client, org="acme")


class RefuseTwoTogether:
    """A fault that refuses the token of two requests, after both have arrived."""

    def __init__(self) -> None:
        self.count = 0
        self.both_arrived = asyncio.Event()

    async def respond(self, request: web.Request, work: Work) -> web.StreamResponse:
        self.count += 1
        if self.count == 2:
            self.both_arrived.set()
        await self.both_arrived.wait()
        return await Status(401, "Bad credentials").respond(request, work)


def test_two_threads_replace_a_revoked_token_only_once(
    github: Sandbox, client: Client, masked: list[str]
) -> None:
    list_hooks(client, org="acme")
    github.inject(RefuseTwoTogether(), path="/orgs/acme/hooks", times=2)

    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(list_hooks, client, org="acme") for _ in range(2)]

    assert [future.result() for future in futures] == [{}, {}]
    assert len(masked) == 2, "the first token and the new one"
