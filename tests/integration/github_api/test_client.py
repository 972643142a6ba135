"""Which requests the client repeats, when it waits, and when it gives up."""

import re
from datetime import timedelta

import pytest

from github_sandbox import (
    Dropped,
    Fault,
    Hook,
    InvalidBody,
    LostResponse,
    Meanwhile,
    Receiver,
    Sandbox,
    Status,
    Truncated,
    VirtualClock,
)
from redeliver.errors import (
    AccessError,
    RateLimitError,
    TooLongError,
    UnavailableError,
    UnreachableError,
)
from redeliver.github_api.client import Client
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.permissions import Permission
from redeliver.github_api.reserve import FOR_REDELIVERIES
from redeliver.github_api.response import Response
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import Throttle
from tests.support.builders import START
from tests.support.fakes import FakeTime
from tests.support.sandboxes import (
    a_client,
    a_delivery_log,
    a_throttle,
    an_app_client,
    rows_of,
    running,
)

LOG = ".*/deliveries"


@pytest.fixture
def lines() -> list[str]:
    """Return the lines in which the client of `log` says that it waits."""
    return []


@pytest.fixture
def time() -> FakeTime:
    """Return the monotonic clock of the client."""
    return FakeTime()


@pytest.fixture
def client(github: Sandbox, lines: list[str], time: FakeTime) -> Client:
    return a_client(github.url, throttle=a_throttle(lines, time=time))


@pytest.fixture
def log(github: Sandbox, recorded_hook: Hook, client: Client) -> DeliveryLog:
    return a_delivery_log(github, recorded_hook, client)


def request(client: Client, *, planning: bool = False, urgent: bool = False) -> Response:
    """Request something that exists."""
    purpose = Permission(inputs="'org'").to("read the webhooks")
    return client.request(
        "GET",
        "/orgs/acme/hooks",
        purpose,
        expect={200},
        keep=FOR_REDELIVERIES if planning else None,
        urgent=urgent,
    )


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(LostResponse(), id="its response is lost"),
        pytest.param(Dropped(), id="the connection drops"),
        pytest.param(Truncated(), id="its response is truncated"),
        pytest.param(Status(500), id="500"),
        pytest.param(Status(502), id="502"),
        pytest.param(Status(503, headers={"Retry-After": "0"}), id="503 with Retry-After"),
        pytest.param(InvalidBody(status=202), id="a 202 of another server"),
        pytest.param(Status(202, body=[]), id="a 202 with another body"),
    ],
)
def test_a_redelivery_is_never_requested_twice(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, fault: Fault
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    github.inject(fault, method="POST", path=".*/attempts")

    with pytest.raises(UnavailableError, match="cannot redeliver"):
        log.redeliver(delivery)

    assert [request.method for request in github.requests] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (LostResponse(), "no usable response from 127.0.0.1:"),
        (Status(502, "Bad Gateway"), "GitHub responded 502, Bad Gateway"),
    ],
)
def test_an_unconfirmed_redelivery_has_a_reason(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, fault: Fault, reason: str
) -> None:
    """The line about its event repeats the reason, and not the whole error."""
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    github.inject(fault, method="POST", path=".*/attempts")

    with pytest.raises(UnavailableError) as caught:
        log.redeliver(delivery)

    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(500), id="a 500"),
        pytest.param(Status(502), id="a 502"),
        pytest.param(Dropped(), id="a dropped connection"),
        pytest.param(LostResponse(), id="a lost response"),
    ],
)
def test_a_read_is_repeated_after_a_fault(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, fault: Fault
) -> None:
    recorded_hook.record()
    github.inject(fault, method="GET", path=LOG)

    assert len(list(rows_of(log))) == 1


@pytest.mark.usefixtures("recorded_hook")
def test_each_try_counts_for_the_rate_limit(github: Sandbox, time: FakeTime) -> None:
    """Five tries are five points, so 855 more reads go at once, and the next one waits."""
    throttle = a_throttle(time=time)
    client = a_client(github.url, throttle=throttle)
    github.inject(Status(502), times=4)

    request(client)

    assert (len(github.requests), len(time.slept)) == (5, 4)
    for _ in range(855):
        throttle.wait(1)
    assert len(time.slept) == 4
    throttle.wait(1)
    assert len(time.slept) == 5


def test_a_redelivery_goes_in_the_turn_that_its_caller_took(
    github: Sandbox, recorded_hook: Hook, time: FakeTime
) -> None:
    """A read and a redelivery are six points, so 854 more reads go at once, and the next waits."""
    throttle = a_throttle(time=time)
    log = a_delivery_log(github, recorded_hook, a_client(github.url, throttle=throttle))
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    throttle.wait_for_turn()

    log.redeliver(delivery)

    for _ in range(854):
        throttle.wait(1)
    assert time.slept == []
    throttle.wait(1)
    assert time.slept == [61]


def test_each_wait_is_logged_with_its_reason(
    github: Sandbox, log: DeliveryLog, lines: list[str]
) -> None:
    github.inject(Status(502, "Bad Gateway"), method="GET", path=LOG)
    github.inject(Dropped(), method="GET", path=LOG, nth=2)

    list(rows_of(log))

    first, second = lines
    assert re.fullmatch(
        r"Waiting 0\.[2-8] s before the next request: GitHub responded 502, Bad Gateway", first
    )
    assert re.fullmatch(
        r"Waiting (0\.[5-9]|1\.[0-5]) s before the next request: no usable response from "
        r"127.0.0.1:\d+ \(ConnectionError\)",
        second,
    )


def test_a_read_that_keeps_failing_is_an_error(github: Sandbox, log: DeliveryLog) -> None:
    github.inject(Status(502, "Bad Gateway"), method="GET", path=LOG, times=None)

    with pytest.raises(
        UnavailableError,
        match=r"responded 502, Bad Gateway\. No events are lost",
    ):
        list(rows_of(log))


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("", id="no date"),
        pytest.param("yesterday", id="an invalid date"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", id="the last date"),
        pytest.param(f"Fri, 31 Dec {10**19} 23:59:59 GMT", id="a date that is out of range"),
    ],
)
def test_a_response_without_a_valid_date_is_an_error(
    github: Sandbox, log: DeliveryLog, date: str
) -> None:
    github.inject(Status(200, body=[], headers={"Date": date}), path=LOG)

    with pytest.raises(UnavailableError, match="no valid 'Date' header"):
        list(rows_of(log))


def test_a_rate_limit_that_never_ends_is_an_error(github: Sandbox, log: DeliveryLog) -> None:
    github.inject(Status(429, "Slow", headers={"Retry-After": "0"}), path=LOG, times=None)

    with pytest.raises(RateLimitError):
        list(rows_of(log))

    assert len(github.requests) == 5


def test_an_error_says_when_an_exhausted_limit_is_reset(github: Sandbox, log: DeliveryLog) -> None:
    github.rate_limit(remaining=0, reset_in=600)

    with pytest.raises(RateLimitError, match=r"used up until \d\d:\d\d:\d\d UTC"):
        list(rows_of(log))

    assert len(github.requests) == 1


def test_the_client_waits_for_a_rate_limit_that_resets_soon(
    github: Sandbox, recorded_hook: Hook, clock: VirtualClock
) -> None:
    lines: list[str] = []
    throttle = Throttle(
        lines.append,
        per_minute=75,
        clock=lambda: clock().timestamp(),
        sleep=lambda seconds: clock.advance(timedelta(seconds=seconds)),
    )
    log = a_delivery_log(github, recorded_hook, a_client(github.url, throttle=throttle))
    recorded_hook.record()
    github.rate_limit(remaining=0, reset_in=40)

    assert len(list(rows_of(log))) == 1
    assert timedelta(seconds=40) <= clock() - START <= timedelta(seconds=42)
    [line] = lines
    assert line.endswith("GitHub is rate limiting requests"), "and no slower after that"


def test_a_redelivery_after_a_rate_limit_arrives_once(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    receiver.behave(status=500)
    hook.emit("push")
    receiver.behave()
    log = a_delivery_log(github, hook)
    delivery = next(rows_of(log))
    github.inject(Status(403, "Forbidden", headers={"Retry-After": "2"}), method="POST")

    log.redeliver(delivery)
    github.settle()

    assert [received.status for received in receiver.received()] == [500, 200]


def test_the_client_waits_if_few_requests_remain(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, lines: list[str]
) -> None:
    """It does so only if the limit is reset soon."""
    recorded_hook.record(status_code=500, status="")
    delivery = next(rows_of(log))
    github.rate_limit(remaining=21, reset_in=20)
    assert next(rows_of(log)) == delivery

    log.redeliver(delivery)

    assert [request.method for request in github.requests] == ["GET", "GET", "POST"]
    reason = "the last requests of the rate limit are kept for saving the checkpoint"
    assert lines == [f"Waiting 22.0 s before the next request: {reason}"]


def test_the_client_does_not_wait_after_a_limits_reset(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, lines: list[str], time: FakeTime
) -> None:
    recorded_hook.record(status_code=500, status="")
    delivery = next(rows_of(log))
    github.rate_limit(remaining=21, reset_in=20)
    assert next(rows_of(log)) == delivery

    time.now += 30
    log.redeliver(delivery)

    assert lines == []


def test_the_last_requests_are_reserved_for_the_checkpoint(
    github: Sandbox, recorded_hook: Hook, client: Client, log: DeliveryLog
) -> None:
    recorded_hook.record(status_code=500, status="")
    delivery = next(rows_of(log))
    github.rate_limit(remaining=21, reset_in=600)
    assert next(rows_of(log)) == delivery

    with pytest.raises(
        RateLimitError,
        match=r"cannot redeliver to .* are kept for saving the checkpoint, until 12:10:02 UTC\. No",
    ):
        log.redeliver(delivery)

    assert [request.method for request in github.requests] == ["GET", "GET"]
    request(client, urgent=True)


def test_reading_for_the_plan_leaves_requests_for_redeliveries(
    github: Sandbox, recorded_hook: Hook, client: Client, log: DeliveryLog
) -> None:
    recorded_hook.record(status_code=500, status="")
    github.rate_limit(remaining=16, reset_in=600)
    delivery = next(rows_of(log))  # 15 remain, so two thirds are 10

    for _ in range(5):
        request(client, planning=True)
    with pytest.raises(
        RateLimitError,
        match=r"cannot read the webhooks: the last requests of the rate limit of the token in "
        r"input 'token' are kept for redelivering what was found, until",
    ):
        request(client, planning=True)
    assert len(github.requests) == 6

    for _ in range(5):
        log.redeliver(delivery)
    with pytest.raises(RateLimitError, match="cannot redeliver"):
        log.redeliver(delivery)


@pytest.mark.usefixtures("recorded_hook")
def test_a_rate_limit_before_the_first_response_is_waited_for(
    github: Sandbox, client: Client, time: FakeTime
) -> None:
    """The client does not know GitHub's time yet."""
    reset = int(START.timestamp()) + 8
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    github.inject(Status(403, "API rate limit exceeded", headers=headers))

    request(client, planning=True)

    assert time.slept == [9]


def test_a_rate_limit_is_one_even_if_its_status_is_expected(
    github: Sandbox, client: Client, time: FakeTime
) -> None:
    purpose = Permission(inputs="'org'").to("read the webhooks")
    github.inject(Status(429, "Slow down", headers={"Retry-After": "9"}))
    github.inject(Status(403, "Forbidden"), nth=2)

    response = client.request("GET", "/orgs/acme/hooks", purpose, expect={200, 403, 429})

    assert (response.status, time.slept) == (403, [9])


def test_the_client_tells_the_error_of_an_expected_response(
    github: Sandbox, client: Client
) -> None:
    purpose = Permission(inputs="'org'").to("read the webhooks")
    github.inject(Status(404, "Not Found"))
    response = client.request("GET", "/orgs/acme/hooks", purpose, expect={404})

    error = client.error(response)

    assert isinstance(error, AccessError)
    assert str(error).startswith("cannot read the webhooks: GitHub responded 404, Not Found. This")


@pytest.mark.usefixtures("recorded_hook")
def test_the_plan_gets_five_quick_tries(github: Sandbox, client: Client) -> None:
    github.inject(Dropped(), times=4)

    request(client, planning=True)

    assert len(github.requests) == 5


@pytest.mark.usefixtures("recorded_hook")
def test_the_plan_leaves_time_to_redeliver(github: Sandbox, client: Client, time: FakeTime) -> None:
    """Its requests get two slow tries, and half of the time that a run may wait for responses."""
    github.inject(Meanwhile(lambda: time.sleep(40)), times=None)
    github.inject(Dropped(), times=None)

    for tries in (2, 4):
        with pytest.raises(UnreachableError, match="no usable response"):
            request(client, planning=True)
        assert len(github.requests) == tries
    reason = "this run has waited for GitHub for 150 s in total, the most that it may wait before"
    with pytest.raises(TooLongError, match=reason):
        request(client, planning=True)
    assert len(github.requests) == 4

    with pytest.raises(UnreachableError, match="no usable response"):
        request(client)
    assert len(github.requests) > 4


def test_a_run_ends_after_five_minutes_without_a_response(
    github: Sandbox, recorded_hook: Hook, client: Client, log: DeliveryLog, time: FakeTime
) -> None:
    """It sends nothing more, except to save the checkpoint."""
    recorded_hook.record(status_code=500, status="")
    delivery = next(rows_of(log))
    github.inject(Meanwhile(lambda: time.sleep(100)), times=None)
    github.inject(Dropped(), times=None)

    with pytest.raises(UnreachableError, match=r"no usable response from .* \(ConnectionError\)"):
        next(rows_of(log))
    assert len(github.requests) == 1 + 3

    reason = "this run has waited for GitHub for 300 s in total"
    for action in (lambda: log.redeliver(delivery), lambda: request(client)):
        with pytest.raises(TooLongError, match=f"cannot .*: {reason}.* the next run continues"):
            action()
    assert len(github.requests) == 1 + 3

    with pytest.raises(UnreachableError) as caught:
        request(client, urgent=True)
    assert not isinstance(caught.value, TooLongError), "it was sent"
    assert len(github.requests) == 1 + 3 + 1
    github.mend()
    request(client, urgent=True)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(403, "You have exceeded a secondary rate limit"), id="by message"),
        pytest.param(Status(403, "Forbidden", headers={"Retry-After": "60"}), id="by header"),
        pytest.param(Status(429, "Too Many Requests"), id="by status"),
    ],
)
def test_the_client_waits_for_a_secondary_rate_limit(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, lines: list[str], fault: Fault
) -> None:
    """A 403 for it is not reported as a missing permission."""
    recorded_hook.record()
    github.inject(fault, path=LOG)

    assert len(list(rows_of(log))) == 1
    (line,) = lines
    assert line == (
        "Waiting 60.0 s before the next request: GitHub is rate limiting requests. "
        "After that, redeliver continues half as fast"
    )


@pytest.mark.parametrize(
    ("rate_limits", "waits"),
    [
        pytest.param(True, 1, id="github.com, to a GitHub App's JWT"),
        pytest.param(False, 0, id="Enterprise Server"),
    ],
)
def test_only_enterprise_server_can_be_without_limits(*, rate_limits: bool, waits: int) -> None:
    """Neither of these responses has the headers of a rate limit."""
    time, clock = FakeTime(), ServerClock()
    throttle = a_throttle(time=time)
    with running(Sandbox(rate_limits=rate_limits)) as github:
        app = github.app()
        client = an_app_client(app, url=github.url, clock=clock, throttle=throttle)
        purpose = Permission(inputs="'client-id'").to("read the App")
        response = client.request("GET", "/app", purpose, expect={200})
    for _ in range(860):
        throttle.wait(1)

    assert response.remaining is None
    assert len(time.slept) == waits
