"""Installation tokens of an App: requested, used and replaced; and invalid responses."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from aiohttp import web

from github_sandbox import Fault, Hook, InvalidBody, Meanwhile, Sandbox, Status, VirtualClock
from github_sandbox.faults import Work
from redeliver.core.checkpoint import Checkpoint
from redeliver.errors import AccessError, RefusalError, UnavailableError
from redeliver.github_api.checkpoint_variable import RepositoryVariable
from redeliver.github_api.client import Client
from redeliver.github_api.credentials import AppInstallation, InstallationCredential
from redeliver.github_api.facts import Facts
from redeliver.github_api.permissions import Permission
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import app_hook, list_hooks
from tests.support.fakes import FakeTime
from tests.support.sandboxes import a_client, a_delivery_log, a_throttle, an_app_client, rows_of

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
def time() -> FakeTime:
    """Return the monotonic clock of `client`."""
    return FakeTime()


def a_client_of_an_app(
    github: Sandbox,
    masked: list[str],
    time: FakeTime,
    *,
    permission: str = "organization_hooks",
    repository: str = "",
    throttle: Throttle | None = None,
) -> Client:
    """Return a client with tokens for this permission of an App that has others, too."""
    github.org("acme")
    app = github.app(slug="redeliver-bot", owner="acme")
    app.install("acme")
    clock = ServerClock()
    throttle = throttle or a_throttle(time=time)
    app_client = an_app_client(app, url=github.url, clock=clock, throttle=throttle)
    purpose = Permission(inputs="'org'").to("act as the App")
    installation = InstallationCredential(
        AppInstallation(app_client, INSTALLATION, purpose),
        purpose,
        permissions={permission: "write"},
        repository=repository,
        clock=clock,
        mask=masked.append,
    )
    return Client(installation, url=github.url, clock=clock, facts=Facts(), throttle=throttle)


@pytest.fixture
def client(github: Sandbox, masked: list[str], time: FakeTime) -> Client:
    """Return a client that uses tokens of an App's installation on acme."""
    return a_client_of_an_app(github, masked, time)


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


@pytest.mark.parametrize(("refusals", "is_error"), [(1, False), (2, True)])
def test_a_refused_jwt_is_replaced_once(github: Sandbox, refusals: int, *, is_error: bool) -> None:
    """The first one has the time of a runner, whose clock may be wrong."""
    clock = ServerClock()
    client = an_app_client(github.app(), url=github.url, clock=clock, throttle=a_throttle())
    github.inject(Status(401, "Bad credentials"), times=refusals)

    with pytest.raises(AccessError) if is_error else nullcontext():
        app_hook(client, github.url)

    assert len(github.requests) == 2


@pytest.mark.parametrize(
    ("permission", "repository", "is_allowed"),
    [
        ("actions_variables", "ops", True),
        ("actions_variables", "other", False),
        ("organization_hooks", "", False),
    ],
)
def test_a_token_is_good_for_nothing_but_its_purpose(
    github: Sandbox,
    masked: list[str],
    time: FakeTime,
    permission: str,
    repository: str,
    *,
    is_allowed: bool,
) -> None:
    """The App itself may write the variables of both repositories."""
    for name in ("ops", "other"):
        github.repository(f"acme/{name}")
    client = a_client_of_an_app(github, masked, time, permission=permission, repository=repository)
    store = RepositoryVariable(client, "acme/ops", "LAST_REDELIVERY")

    if is_allowed:
        assert store.write(Checkpoint(datetime.now(UTC)))
    else:
        with pytest.raises(AccessError):
            store.write(Checkpoint(datetime.now(UTC)))


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


def test_a_token_for_the_checkpoint_waits_for_no_redelivery(
    github: Sandbox, clock: VirtualClock, masked: list[str], time: FakeTime
) -> None:
    """Redeliveries have used the 860 points of a minute, and the checkpoint has 20 of its own."""
    throttle = a_throttle(time=time)
    client = a_client_of_an_app(
        github, masked, time, permission="actions_variables", repository="ops", throttle=throttle
    )
    store = RepositoryVariable(client, "acme/ops", "LAST_REDELIVERY")
    github.repository("acme/ops")
    store.read()
    clock.advance(timedelta(minutes=51))
    store.read()  # its response tells the time
    for _ in range(170):  # 850 points, and the requests so far have used 8
        throttle.wait(5)

    store.write(Checkpoint(clock()))

    assert len(masked) == 2, "the first token and the new one"
    assert time.slept == []


def test_redeliveries_stay_a_second_apart_after_a_slow_token(
    github: Sandbox, recorded_hook: Hook, masked: list[str], time: FakeTime
) -> None:
    """The turn of a redelivery is taken before its token is requested."""
    recorded_hook.record(status="timed out", status_code=504)
    [delivery] = rows_of(a_delivery_log(github, recorded_hook))
    lines: list[str] = []
    throttle = Throttle(lines.append, per_minute=60, clock=time, sleep=time.sleep)
    client = a_client_of_an_app(github, masked, time, throttle=throttle)
    github.inject(Meanwhile(lambda: time.sleep(5)), path=TOKENS)

    throttle.wait_for_turn()
    a_delivery_log(github, recorded_hook, client).redeliver(delivery)

    assert throttle.seconds_until_turn() >= 1


def test_requests_for_a_token_are_repeated_after_a_fault(github: Sandbox, client: Client) -> None:
    github.inject(Status(502), path=INSTALLATION)
    github.inject(Status(502), path=TOKENS)

    assert list_hooks(client, org="acme") == {}


def test_a_token_is_replaced_ten_minutes_before_its_end(
    client: Client, clock: VirtualClock, masked: list[str]
) -> None:
    """It is valid for an hour. A request tells the client the time, so the next one decides."""
    list_hooks(client, org="acme")
    for passed, tokens in ((timedelta(minutes=49, seconds=55), 1), (timedelta(seconds=5), 2)):
        clock.advance(passed)
        list_hooks(client, org="acme")
        list_hooks(client, org="acme")
        assert len(masked) == tokens


@pytest.mark.parametrize(("seconds", "is_new"), [(19, True), (20, False)])
def test_a_token_is_new_for_20_seconds(
    github: Sandbox,
    client: Client,
    clock: VirtualClock,
    masked: list[str],
    time: FakeTime,
    seconds: int,
    *,
    is_new: bool,
) -> None:
    """A new token that GitHub refuses is used again after a pause, and an older one replaced."""
    list_hooks(client, org="acme")
    clock.advance(timedelta(seconds=seconds))
    github.inject(Status(401, "Bad credentials"), path="/orgs/acme/hooks")

    list_hooks(client, org="acme")

    assert (len(masked), len(time.slept)) == ((1, 1) if is_new else (2, 0))


@pytest.mark.parametrize("status", [401, 403])
def test_a_new_token_that_is_not_known_everywhere_is_used_again(
    github: Sandbox, client: Client, masked: list[str], time: FakeTime, status: Literal[401, 403]
) -> None:
    github.delay_tokens(requests=3, status=status)

    assert list_hooks(client, org="acme") == {}

    lists = [r for r in github.requests if r.path == "/orgs/acme/hooks"]
    assert [request.status for request in lists] == [status] * 3 + [200]
    assert [request.token for request in lists] == masked * 4
    assert 3.5 <= sum(time.slept) <= 10.5


@pytest.mark.parametrize("status", [401, 403])
def test_a_redelivery_waits_for_a_new_token_to_be_known(
    github: Sandbox, client: Client, recorded_hook: Hook, status: Literal[401, 403]
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    [delivery] = rows_of(a_delivery_log(github, recorded_hook))
    github.delay_tokens(requests=1, status=status)

    a_delivery_log(github, recorded_hook, client).redeliver(delivery)

    attempts = [r.status for r in github.requests if r.path.endswith("/attempts")]
    assert attempts == [status, 202]


@pytest.mark.parametrize("status", [401, 403])
def test_a_new_token_that_github_never_accepts_is_an_error(
    github: Sandbox, client: Client, masked: list[str], time: FakeTime, status: Literal[401, 403]
) -> None:
    github.delay_tokens(requests=100, status=status)

    with pytest.raises(AccessError) as caught:
        list_hooks(client, org="acme")

    assert "revoked" not in str(caught.value)
    assert len(masked) == 1, "another token would be as new"
    assert sum(time.slept) < 30


def test_a_refusal_of_one_event_stays_one_with_a_new_token(
    github: Sandbox, client: Client, recorded_hook: Hook
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    [delivery] = rows_of(a_delivery_log(github, recorded_hook))
    github.inject(Status(403, "Not this one"), method="POST", path=".*/attempts", times=None)

    with pytest.raises(RefusalError, match=r"^GitHub responded 403, Not this one$"):
        a_delivery_log(github, recorded_hook, client).redeliver(delivery)


@pytest.mark.parametrize(
    ("minutes", "lag"),
    [
        pytest.param(1, 0, id="because it was revoked"),
        pytest.param(51, 1, id="because it is new, 51 minutes later"),
    ],
)
def test_a_token_is_replaced_after_an_event_was_refused(
    github: Sandbox,
    client: Client,
    clock: VirtualClock,
    recorded_hook: Hook,
    minutes: int,
    lag: int,
) -> None:
    """The first event is refused with 403 while the token is new, which may be why."""
    recorded_hook.record(status="timed out", status_code=504)
    [delivery] = rows_of(a_delivery_log(github, recorded_hook))
    log = a_delivery_log(github, recorded_hook, client)
    github.inject(Status(403, "Not this one"), method="POST", path=".*/attempts", times=5)
    with pytest.raises(RefusalError):
        log.redeliver(delivery)
    clock.advance(timedelta(minutes=minutes))
    github.delay_tokens(requests=lag)
    list_hooks(client, org="acme")  # its response tells the time
    if not lag:
        github.inject(Status(401, "Bad credentials"), method="POST", path=".*/attempts")

    log.redeliver(delivery)

    attempts = [r.status for r in github.requests if r.path.endswith("/attempts")]
    assert attempts[-1] == 202


@pytest.mark.parametrize("token", ["", "ghs_of_an_earlier_step"])
def test_a_token_that_is_never_accepted_is_waited_for_only_once(
    github: Sandbox, client: Client, time: FakeTime, token: str
) -> None:
    github.inject(Status(401, "Bad credentials"), path="/orgs/acme/hooks", times=None)
    if token:
        client = a_client(github.url, token, throttle=a_throttle(time=time))

    for _ in range(20):
        with pytest.raises(AccessError):
            list_hooks(client, org="acme")

    assert sum(time.slept) < 30


def test_a_new_token_is_not_tried_again_after_a_known_refusal(
    github: Sandbox, client: Client, time: FakeTime
) -> None:
    allow_list = "`acme` has an IP allow list enabled, and 192.0.2.7 is not permitted"
    github.inject(Status(403, allow_list), path="/orgs/acme/hooks", times=None)

    with pytest.raises(AccessError, match="add the IP address of this machine"):
        list_hooks(client, org="acme")

    assert time.slept == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_of_an_earlier_step_can_be_new_as_well(github: Sandbox, status: int) -> None:
    """A 403 is the response to a GITHUB_TOKEN, too, so it is an error at once."""
    time, token = FakeTime(), "ghs_of_an_earlier_step"
    github.token(token, organization_hooks="write")
    github.inject(Status(status, "Bad credentials"), path="/orgs/.*", times=2)
    github.org("acme")
    client = a_client(github.url, token, throttle=a_throttle(time=time))

    if status == 401:
        assert list_hooks(client, org="acme") == {}
    else:
        with pytest.raises(AccessError):
            list_hooks(client, org="acme")

    assert len(time.slept) == (2 if status == 401 else 0)


def test_a_token_that_github_refuses_later_is_replaced_once(
    github: Sandbox, client: Client, clock: VirtualClock, masked: list[str]
) -> None:
    list_hooks(client, org="acme")
    clock.advance(timedelta(minutes=1))
    github.inject(Status(401, "Bad credentials"), path="/orgs/acme/hooks", times=None)

    with pytest.raises(AccessError, match="has just issued for the App's installation"):
        list_hooks(client, org="acme")

    assert len(masked) == 2


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
    github: Sandbox, client: Client, clock: VirtualClock, masked: list[str]
) -> None:
    list_hooks(client, org="acme")
    clock.advance(timedelta(minutes=1))
    github.inject(RefuseTwoTogether(), path="/orgs/acme/hooks", times=2)

    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(list_hooks, client, org="acme") for _ in range(2)]

    assert [future.result() for future in futures] == [{}, {}]
    assert len(masked) == 2, "the first token and the new one"
