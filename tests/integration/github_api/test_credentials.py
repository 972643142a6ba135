"""What GitHub may answer a GitHub App that asks for a token, and what comes of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from aiohttp import web

from github_sandbox import Fault, Garbage, Sandbox, Status, VirtualClock
from github_sandbox.faults import Work
from redeliver.errors import AccessError, UnavailableError
from redeliver.github_api.client import Client
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.credentials import AppCredential, AppInstallation, InstallationCredential
from redeliver.github_api.permissions import Permission
from redeliver.github_api.webhooks import app_hook, list_hooks
from tests.support.virtual_run import a_client, a_throttle

INSTALLATION = "/orgs/acme/installation"
TOKENS = "/app/installations/.*/access_tokens"


@pytest.fixture
def clock() -> VirtualClock:
    """Return the real time, because an App's JWT has that until GitHub has told its own."""
    return VirtualClock(datetime.now(UTC))


@pytest.fixture
def masked() -> list[str]:
    return []


@pytest.fixture
def client(github: Sandbox, masked: list[str]) -> Client:
    """Give GitHub as an App's installation on acme may use it."""
    github.org("acme")
    app = github.app(slug="redeliver-bot", owner="acme")
    app.install("acme")
    clock = ServerClock()
    throttle = a_throttle([])
    as_app = Client(
        AppCredential(str(app.id), app.private_key, clock=clock),
        url=github.url,
        clock=clock,
        throttle=throttle,
    )
    purpose = Permission(inputs="'org'").to("act as the App")
    installation = InstallationCredential(
        AppInstallation(as_app, INSTALLATION, purpose),
        purpose,
        {"organization_hooks": "write"},
        clock=clock,
        mask=masked.append,
    )
    return Client(installation, url=github.url, clock=clock, throttle=throttle)


def test_one_token_does_for_many_requests_and_is_masked(
    github: Sandbox, client: Client, masked: list[str]
) -> None:
    for _ in range(3):
        list_hooks(client, org="acme")

    assert [request.path for request in github.requests][:2] == [
        INSTALLATION,
        github.requests[1].path,
    ]
    assert len(github.requests) == 2 + 3
    assert masked == [request.token for request in github.requests[2:3]]


NO_TOKEN: dict[str, tuple[str, Fault]] = {
    "no id": (INSTALLATION, Status(200, body={"id": "7"})),
    "no token": (TOKENS, Status(201, body={"expires_at": "2026-11-24T12:00:00Z"})),
    "no end": (TOKENS, Status(201, body={"token": "ghs_x", "expires_at": "soon"})),
    "a token that is none": (
        TOKENS,
        Status(201, body={"token": "ghs_x\n::error::", "expires_at": "2026-11-24T12:00:00Z"}),
    ),
    "an empty token": (
        TOKENS,
        Status(201, body={"token": "", "expires_at": "2026-11-24T12:00:00Z"}),
    ),
    "a page": (INSTALLATION, Garbage()),
}


@pytest.mark.parametrize("case", NO_TOKEN)
def test_an_answer_that_no_github_gives_is_told(
    github: Sandbox, client: Client, masked: list[str], case: str
) -> None:
    path, fault = NO_TOKEN[case]
    github.inject(fault, path=path, times=None)

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        list_hooks(client, org="acme")

    assert masked == []


def test_a_github_that_is_broken_for_a_moment_is_asked_again(
    github: Sandbox, client: Client
) -> None:
    github.inject(Status(502), path=INSTALLATION)
    github.inject(Status(502), path=TOKENS)

    assert list_hooks(client, org="acme") == ((), ())


def test_a_token_that_github_never_takes_is_renewed_once(github: Sandbox, client: Client) -> None:
    github.inject(Status(401, "Bad credentials"), path="/orgs/acme/hooks", times=None)

    with pytest.raises(AccessError, match="It does not know the App"):
        list_hooks(client, org="acme")

    assert [r.status for r in github.requests if r.path == "/orgs/acme/hooks"] == [401, 401]


def test_a_rate_limit_of_an_installation_is_told_as_such(github: Sandbox, client: Client) -> None:
    limited = Status(429, "Slow down", headers={"Retry-After": "3600"})
    github.inject(limited, path="/orgs/acme/hooks", times=None)

    with pytest.raises(UnavailableError, match="that an App's installation asks together"):
        list_hooks(client, org="acme")


@pytest.mark.parametrize(
    "rows", [{}, [7], [{"id": 7}], [{"id": "7", "active": True}], [{"id": 7, "active": "yes"}]]
)
def test_a_list_of_webhooks_that_is_none_is_told(github: Sandbox, rows: object) -> None:
    github.org("acme")
    github.inject(Status(200, body=rows), path=".*/hooks")

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        list_hooks(a_client(github.url), org="acme")


def test_a_list_of_webhooks_without_an_end_is_told(github: Sandbox) -> None:
    rows = [{"id": number, "active": True} for number in range(100)]
    github.inject(Status(200, body=rows), path=".*/hooks", times=None)

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        list_hooks(a_client(github.url), org="acme")

    assert len(github.requests) == 2


@pytest.mark.parametrize("body", [[], {}, {"slug": "bot"}])
def test_what_is_no_app_is_told(github: Sandbox, body: object) -> None:
    github.inject(Status(200, body=body), path="/app")

    with pytest.raises(UnavailableError, match="is not GitHub's API"):
        app_hook(a_client(github.url), github.url)


USER, ORGANIZATION = {"type": "User", "login": "mona"}, {"type": "Organization", "login": "acme"}
PAGES: dict[str, tuple[dict[str, object], str]] = {
    "of a user": ({"slug": "bot", "owner": USER}, "/settings/apps/bot/advanced"),
    "of an organization": (
        {"slug": "bot", "owner": ORGANIZATION},
        "/organizations/acme/settings/apps/bot/advanced",
    ),
    "of nobody": ({"slug": "bot", "owner": None}, "/settings/apps"),
    "without a name": ({"owner": USER}, "/settings/apps"),
    "with a strange name": ({"slug": "a/b c", "owner": USER}, "/settings/apps/a%2Fb%20c/advanced"),
}


@pytest.mark.parametrize("case", PAGES)
def test_the_page_of_an_app(github: Sandbox, case: str) -> None:
    app, page = PAGES[case]
    github.inject(Status(200, body={"id": 7, **app}), path="/app")

    hook = app_hook(a_client(github.url), "https://github.com")

    assert hook.webhook.page == f"https://github.com{page}"


class TogetherRefused:
    """Answers two requests that it does not know the token, once both have come."""

    def __init__(self) -> None:
        self.came = 0
        self.both_came = asyncio.Event()

    async def answer(self, request: web.Request, work: Work) -> web.StreamResponse:
        self.came += 1
        if self.came == 2:
            self.both_came.set()
        await self.both_came.wait()
        return await Status(401, "Bad credentials").answer(request, work)


def test_threads_that_learn_at_once_that_a_token_was_revoked_make_one_new_one(
    github: Sandbox, client: Client, masked: list[str]
) -> None:
    list_hooks(client, org="acme")
    github.inject(TogetherRefused(), path="/orgs/acme/hooks", times=2)

    with ThreadPoolExecutor(max_workers=2) as pool:
        found = [pool.submit(list_hooks, client, org="acme") for _ in range(2)]

    assert [each.result() for each in found] == [((), ()), ((), ())]
    assert len(masked) == 2, "the first token and the new one"
