"""Webhooks by GitHub's API: their logs, redeliveries, and what can go wrong with each."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from github_sandbox import (
    Dropped,
    Fault,
    Garbage,
    Hook,
    LostReply,
    Receiver,
    Sandbox,
    Status,
    Truncated,
    VirtualClock,
)
from redeliver.core.delivery import HookId, StatusFilter
from redeliver.errors import AccessError, RateLimitError, RefusalError, UnavailableError
from redeliver.github_api import delivery_log
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.throttle import Throttle
from redeliver.github_api.webhooks import organization_hook
from redeliver.sanitize import sanitize
from tests.support.builders import TOKEN
from tests.support.fakes import FakeTime
from tests.support.virtual_run import a_client, a_throttle

LIST = r"/orgs/acme/hooks/\d+/deliveries"
ATTEMPTS = r".*/attempts"


def our(hook: Hook, github: Sandbox, *, token: str = TOKEN, prefix: str = "") -> DeliveryLog:
    client = a_client(github.url + prefix, token)
    return organization_hook(client, github.url, hook.org, HookId(hook.id))


def waiting(
    hook: Hook, github: Sandbox, said: list[str], *, clock: ServerClock | None = None
) -> DeliveryLog:
    client = a_client(github.url, clock=clock, throttle=a_throttle(said))
    return organization_hook(client, github.url, hook.org, HookId(hook.id))


def asked(github: Sandbox, method: str) -> int:
    return sum(request.method == method for request in github.requests)


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_the_whole_log_comes_newest_first_and_exact(
    github: Sandbox, recorded_hook: Hook, prefix: str
) -> None:
    start = datetime.now(UTC) - timedelta(hours=5)
    ids = [
        recorded_hook.record(event="issues", action="opened", at=start + timedelta(seconds=n))
        for n in range(250)
    ]

    deliveries = list(our(recorded_hook, github, prefix=prefix).deliveries())

    assert [delivery.id for delivery in deliveries] == ids[::-1]
    assert min(ids) > 2**53
    assert (deliveries[0].event, deliveries[0].action) == ("issues", "opened")
    assert deliveries[0].delivered_at.utcoffset() == timedelta(0)
    assert [request.query["per_page"] for request in github.requests] == ["100"] * 3


def test_an_empty_log_is_empty(github: Sandbox, recorded_hook: Hook) -> None:
    assert list(our(recorded_hook, github).deliveries()) == []


def test_a_page_is_only_read_when_it_is_needed(github: Sandbox, recorded_hook: Hook) -> None:
    for _ in range(250):
        recorded_hook.record()

    assert len(list(islice(our(recorded_hook, github).deliveries(), 100))) == 100
    assert asked(github, "GET") == 1


def test_a_redelivery_reaches_the_receiver_with_the_same_guid(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    receiver.behave(status=500)
    guid = hook.emit("push")
    receiver.behave(status=200)
    ours = our(hook, github)

    ours.redeliver(next(ours.deliveries()))
    github.settle()

    assert [(r.guid, r.status, r.signature_valid) for r in receiver.received()] == [
        (guid, 500, True),
        (guid, 200, True),
    ]
    newest, original = ours.deliveries()
    assert (newest.succeeded, newest.redelivery) == (True, True)
    assert (original.succeeded, original.redelivery) == (False, False)


def test_a_delivery_that_has_left_the_log_is_refused(github: Sandbox, recorded_hook: Hook) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(our(recorded_hook, github).deliveries())
    elsewhere = github.org("acme").hook("http://127.0.0.1:9/hook")

    with pytest.raises(RefusalError, match=r"^GitHub answered 404, Not Found$"):
        our(elsewhere, github).redeliver(delivery)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_is_of_one_delivery_only(
    github: Sandbox, recorded_hook: Hook, status: int
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    ours = our(recorded_hook, github)
    delivery = next(ours.deliveries())
    github.inject(Status(status, "Nope"), method="POST", path=ATTEMPTS)

    with pytest.raises(RefusalError, match=f"^GitHub answered {status}, Nope$"):
        ours.redeliver(delivery)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(LostReply(), id="its reply is lost"),
        pytest.param(Dropped(), id="the connection drops"),
        pytest.param(Truncated(), id="its reply is cut"),
        pytest.param(Status(500), id="500"),
        pytest.param(Status(502), id="502"),
        pytest.param(Status(503, headers={"Retry-After": "0"}), id="503 with Retry-After"),
        pytest.param(Garbage(status=202), id="a 202 that is not GitHub's"),
        pytest.param(Status(202, body=[]), id="a 202 with something else"),
    ],
)
def test_a_redelivery_is_never_asked_for_twice_when(
    github: Sandbox, recorded_hook: Hook, fault: Fault
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    ours = our(recorded_hook, github)
    delivery = next(ours.deliveries())
    github.inject(fault, method="POST", path=ATTEMPTS)

    with pytest.raises(UnavailableError, match="cannot redeliver"):
        ours.redeliver(delivery)

    assert asked(github, "POST") == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(502), id="a 502"),
        pytest.param(Dropped(), id="a dropped connection"),
        pytest.param(LostReply(), id="a lost reply"),
    ],
)
def test_a_read_gets_over(github: Sandbox, recorded_hook: Hook, fault: Fault) -> None:
    recorded_hook.record()
    github.inject(fault, method="GET", path=LIST)

    assert len(list(our(recorded_hook, github).deliveries())) == 1


def test_a_wait_for_github_is_never_silent(github: Sandbox, recorded_hook: Hook) -> None:
    said: list[str] = []
    github.inject(Status(502, "Bad Gateway"), method="GET", path=LIST)
    github.inject(Dropped(), method="GET", path=LIST, nth=2)
    hook = waiting(recorded_hook, github, said)

    list(hook.deliveries())

    first, second = said
    assert re.fullmatch(r"Waiting 0\.[2-8] s: GitHub answered 502, Bad Gateway", first)
    assert re.fullmatch(
        r"Waiting (0\.[5-9]|1\.[0-5]) s: no usable answer from 127.0.0.1:\d+ \(ConnectionError\)",
        second,
    )


def test_a_read_that_goes_on_failing_is_told(github: Sandbox, recorded_hook: Hook) -> None:
    github.inject(Status(502, "Bad Gateway"), method="GET", path=LIST, times=None)

    with pytest.raises(UnavailableError, match=r"answered 502, Bad Gateway\. Nothing is lost"):
        list(our(recorded_hook, github).deliveries())


def a_row(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "id": 2**62,
        "guid": "guid-1",
        "delivered_at": "2026-11-24T12:00:00Z",
        "redelivery": False,
        "duration": 0,
        "status": "OK",
        "status_code": 200,
        "event": "push",
        "action": None,
    }
    return row | changes


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({"message": "hello"}, "a page that is no list", id="an object"),
        pytest.param([1], "a row that is no object", id="a number for a row"),
        pytest.param([a_row(id="12")], "'id' is missing or of another type", id="a text id"),
        pytest.param([a_row(id=1.5)], "'id' is missing or of another type", id="a rounded id"),
        pytest.param([a_row(id=True)], "'id' is missing or of another type", id="a boolean id"),
        pytest.param([a_row(guid=None)], "'guid' is missing", id="no GUID"),
        pytest.param([a_row(status=None)], "'status' is missing", id="no status"),
        pytest.param([a_row(delivered_at="yesterday")], "that is no time", id="no time"),
        pytest.param(
            [a_row(delivered_at="9999-12-31T23:59:59-23:59")], "that is no time", id="doomsday"
        ),
        pytest.param(
            [a_row(delivered_at="2026-11-24T12:00:00")], "no time with a time zone", id="local time"
        ),
    ],
)
def test_a_log_that_is_not_as_documented_is_told(
    github: Sandbox, recorded_hook: Hook, body: object, told: str
) -> None:
    github.inject(Status(200, body=body), path=LIST)

    with pytest.raises(UnavailableError, match=told):
        list(our(recorded_hook, github).deliveries())


def test_a_page_that_is_not_json_is_told_without_its_content(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.inject(Garbage(body=b"<html>hush</html>"), path=LIST)

    with pytest.raises(
        UnavailableError, match=r"\(200\) is not GitHub's API\. Is 'hostname' its address"
    ) as caught:
        list(our(recorded_hook, github).deliveries())

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Garbage(body=b'[{"id": 1'), id="JSON that breaks off"),
        pytest.param(Truncated(), id="a body that is cut"),
        pytest.param(Garbage(body=b"[" * 100_000), id="JSON without a bottom"),
    ],
)
def test_a_page_that_cannot_be_used_is_told(
    github: Sandbox, recorded_hook: Hook, fault: Fault
) -> None:
    github.inject(fault, path=LIST, times=None)

    with pytest.raises(UnavailableError):
        list(our(recorded_hook, github).deliveries())


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([[1, 2], [1, 2]], id="the same page with ever new links"),
        pytest.param([[], []], id="empty pages"),
        pytest.param([[1], [2], [3]] * 3, id="pages in a circle"),
    ],
)
def test_pages_that_go_on_without_getting_anywhere_are_told(
    github: Sandbox, recorded_hook: Hook, pages: list[list[int]]
) -> None:
    for place, ids in enumerate(pages):
        headers = {"Link": f'<{github.url}?cursor=v1_{place}>; rel="next"'}
        rows = [a_row(id=number) for number in ids]
        github.inject(Status(200, body=rows, headers=headers), path=LIST, nth=place + 1)

    with pytest.raises(UnavailableError, match="pages that lead nowhere"):
        list(our(recorded_hook, github).deliveries())


def test_a_part_of_the_log_may_have_nothing_on_several_pages(
    github: Sandbox, recorded_hook: Hook
) -> None:
    links = [{"Link": f'<{github.url}?cursor=v1_{n}>; rel="next"'} for n in range(3)]
    for place, headers in enumerate([*links, {}]):
        rows = [a_row(id=7)] if place == 3 else []
        github.inject(Status(200, body=rows, headers=headers), path=LIST, nth=place + 1)

    found = our(recorded_hook, github).deliveries(StatusFilter.FAILURES)

    assert [delivery.id for delivery in found] == [7]
    assert {request.query["status"] for request in github.requests} == {"failure"}


def test_a_log_without_an_end_is_told(
    github: Sandbox, recorded_hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "MAX_PAGES", 3)
    for n in range(4):
        headers = {"Link": f'<{github.url}?cursor=v1_{n}>; rel="next"'}
        github.inject(Status(200, body=[a_row(id=n)], headers=headers), path=LIST, nth=n + 1)

    with pytest.raises(UnavailableError, match="pages without an end"):
        list(our(recorded_hook, github).deliveries())


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("", id="no date"),
        pytest.param("yesterday", id="no date that is one"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", id="doomsday"),
        pytest.param(f"Fri, 31 Dec {10**19} 23:59:59 GMT", id="long after that"),
    ],
)
def test_an_answer_that_does_not_tell_the_time_is_told(
    github: Sandbox, recorded_hook: Hook, date: str
) -> None:
    github.inject(Status(200, body=[], headers={"Date": date}), path=LIST)

    with pytest.raises(UnavailableError, match="no 'Date' header that tells the time"):
        list(our(recorded_hook, github).deliveries())


def test_a_read_that_is_accepted_but_not_answered_is_told_and_not_repeated(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.inject(Status(202, body={}), path=LIST, times=None)

    with pytest.raises(
        UnavailableError, match="answered 202, which means that the answer is not ready yet"
    ):
        list(our(recorded_hook, github).deliveries())

    assert asked(github, "GET") == 1


def test_the_token_goes_nowhere_a_next_link_points(github: Sandbox, recorded_hook: Hook) -> None:
    link = '<http://evil.example/deliveries?cursor=v1_x>; rel="next"'
    github.inject(Status(200, body=[a_row()], headers={"Link": link}), path=LIST)

    with pytest.raises(UnavailableError, match="cannot read the deliveries"):
        list(our(recorded_hook, github).deliveries())

    assert [request.query.get("cursor") for request in github.requests] == [None, "v1_x"]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        pytest.param('<{}?page=2>; rel="next"', "without a cursor", id="no cursor"),
        pytest.param('<http://[{}>; rel="next"', "without a cursor", id="no address"),
        pytest.param('<{}?cursor=c>; rel="next"', "that lead nowhere", id="the same for ever"),
    ],
)
def test_a_next_link_that_leads_nowhere_is_told(
    github: Sandbox, recorded_hook: Hook, link: str, told: str
) -> None:
    headers = {"Link": link.format(github.url)}
    github.inject(Status(200, body=[a_row()], headers=headers), path=LIST, times=None)

    with pytest.raises(UnavailableError, match=told):
        list(our(recorded_hook, github).deliveries())


def test_only_the_next_link_is_followed(github: Sandbox, recorded_hook: Hook) -> None:
    headers = {"Link": '<https://github.example/?cursor=v1_x>; rel="prev"'}
    github.inject(Status(200, body=[a_row()], headers=headers), path=LIST)

    assert len(list(our(recorded_hook, github).deliveries())) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_no_answer_and_does_not_get_the_token(
    github: Sandbox, recorded_hook: Hook, status: int
) -> None:
    headers = {"Location": "http://localhost:9/elsewhere"}
    github.inject(Status(status, "Moved", headers=headers), path=".*", times=None)
    recorded_hook.record()

    with pytest.raises(UnavailableError, match="a redirect, which is not followed because"):
        list(our(recorded_hook, github).deliveries())

    assert asked(github, "GET") == 1


ADVICE = [
    pytest.param({}, "mistyped, expired or revoked", id="unknown token"),
    pytest.param(
        {"actions_variables": "write"},
        r"needs the organization permission 'Webhooks' \(read and write\).*"
        r"GitHub says: needed permission organization_hooks read",
        id="fine-grained without the permission",
    ),
    pytest.param(
        {"scopes": {"repo"}},
        r"Check 'org' and 'hook-id' .*a classic token the scope admin:org_hook.*"
        r"needed scope admin:org_hook; scopes the token has repo",
        id="classic without the scope",
    ),
    pytest.param(
        {"organization_hooks": "write", "sso": True},
        "SAML single sign-on: .* Configure SSO",
        id="not authorized for single sign-on",
    ),
]


@pytest.mark.parametrize(("permission", "advice"), ADVICE)
def test_a_token_that_falls_short_gets_advice(
    github: Sandbox, recorded_hook: Hook, permission: dict[str, object], advice: str
) -> None:
    if permission:
        github.token("ghp_short", **permission)  # type: ignore[arg-type] # one row's own

    with pytest.raises(AccessError, match=advice) as caught:
        list(our(recorded_hook, github, token="ghp_short").deliveries())

    advice = str(caught.value)
    assert advice.startswith("cannot read the deliveries of webhook")
    assert "ghp_short" not in advice
    assert sanitize(advice) == advice, "it is shown as it is"


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        pytest.param(f"who is {TOKEN}?", {}, id="the token in a message"),
        pytest.param("Not Found", {"X-OAuth-Scopes": "in?token=hush"}, id="a URL in a header"),
    ],
)
def test_what_a_server_sends_back_is_not_shown(
    github: Sandbox, recorded_hook: Hook, message: str, headers: dict[str, str]
) -> None:
    github.inject(Status(404, message, headers=headers), path=LIST)

    with pytest.raises(AccessError) as caught:
        list(our(recorded_hook, github).deliveries())

    assert TOKEN not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_token_of_one_letter_is_not_taken_out_of_an_answer(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.token("e", organization_hooks="write")
    recorded_hook.record(event="release")

    [delivery] = our(recorded_hook, github, token="e").deliveries()

    assert delivery.event == "release"


def test_a_token_that_may_only_read_cannot_redeliver(github: Sandbox, recorded_hook: Hook) -> None:
    github.token("ghp_reader", organization_hooks="read")
    recorded_hook.record(status="timed out", status_code=504)
    ours = our(recorded_hook, github, token="ghp_reader")

    with pytest.raises(AccessError, match=r"cannot redeliver .*\(read and write\)"):
        ours.redeliver(next(ours.deliveries()))


def test_an_unknown_hook_is_told_as_what_it_may_be(github: Sandbox, recorded_hook: Hook) -> None:
    nowhere = organization_hook(a_client(github.url), github.url, recorded_hook.org, HookId(7))

    with pytest.raises(
        AccessError, match=r"webhook 7 of organization acme.*Check 'org' and 'hook-id'"
    ):
        list(nowhere.deliveries())


def test_a_rate_limit_that_is_never_over_is_not_asked_about_for_ever(
    github: Sandbox, recorded_hook: Hook
) -> None:
    github.inject(Status(429, "Slow", headers={"Retry-After": "0"}), path=LIST, times=None)

    with pytest.raises(RateLimitError):
        list(our(recorded_hook, github).deliveries())

    assert asked(github, "GET") == 5


def test_a_used_up_rate_limit_says_until_when(github: Sandbox, recorded_hook: Hook) -> None:
    github.rate_limit(remaining=0, reset_in=600)

    with pytest.raises(RateLimitError, match=r"used up until \d\d:\d\d:\d\d UTC"):
        list(our(recorded_hook, github).deliveries())

    assert asked(github, "GET") == 1


def test_a_rate_limit_that_is_soon_over_is_waited_for() -> None:
    clock = VirtualClock(datetime(2026, 11, 24, 12, tzinfo=UTC))

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    def seconds() -> float:
        return clock().timestamp()

    with Sandbox(clock=clock) as github:
        github.token(TOKEN, organization_hooks="write")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        hook.record()
        github.rate_limit(remaining=0, reset_in=40)
        throttle = Throttle(list[str]().append, per_minute=75, clock=seconds, sleep=sleep)
        client = a_client(github.url, throttle=throttle)

        assert (
            len(list(organization_hook(client, github.url, "acme", HookId(hook.id)).deliveries()))
            == 1
        )

    assert timedelta(seconds=40) <= clock() - datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert clock() - datetime(2026, 11, 24, 12, tzinfo=UTC) <= timedelta(seconds=42)


def test_a_rate_limit_does_not_make_a_redelivery_be_asked_for_twice(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    receiver.behave(status=500)
    hook.emit("push")
    receiver.behave()
    ours = our(hook, github)
    delivery = next(ours.deliveries())
    github.inject(Status(403, "Forbidden", headers={"Retry-After": "2"}), method="POST")

    ours.redeliver(delivery)
    github.settle()

    assert [r.status for r in receiver.received()] == [500, 200]


def test_a_rate_limit_that_is_nearly_used_up_and_soon_over_is_waited_for(
    github: Sandbox, recorded_hook: Hook
) -> None:
    recorded_hook.record(status_code=500, status="")
    github.rate_limit(remaining=11, reset_in=20)
    said: list[str] = []
    ours = waiting(recorded_hook, github, said)

    ours.redeliver(next(ours.deliveries()))

    assert asked(github, "POST") == 1
    assert re.fullmatch(r"Waiting 2[12].0 s: the rate limit is used up, but for a reserve", said[0])


def test_a_rate_limit_that_has_begun_anew_since_the_last_answer_is_not_waited_for(
    github: Sandbox, recorded_hook: Hook
) -> None:
    recorded_hook.record(status_code=500, status="")
    github.rate_limit(remaining=11, reset_in=20)
    said: list[str] = []
    time = FakeTime()
    ours = waiting(recorded_hook, github, said, clock=ServerClock(elapsed=time))
    delivery = next(ours.deliveries())

    time.now += 30
    ours.redeliver(delivery)

    assert said == []


def test_the_last_requests_of_the_rate_limit_are_kept_for_the_checkpoint(
    github: Sandbox, recorded_hook: Hook
) -> None:
    recorded_hook.record(status_code=500, status="")
    github.rate_limit(remaining=11, reset_in=600)
    ours = our(recorded_hook, github)
    delivery = next(ours.deliveries())

    with pytest.raises(RateLimitError, match=r"cannot redeliver to .* used up until"):
        ours.redeliver(delivery)

    assert asked(github, "POST") == 0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(403, "You have exceeded a secondary rate limit"), id="by message"),
        pytest.param(Status(403, "Forbidden", headers={"Retry-After": "60"}), id="by header"),
        pytest.param(Status(429, "Too Many Requests"), id="by status"),
    ],
)
def test_a_secondary_rate_limit_is_told_from_a_missing_right_and_waited_for(
    github: Sandbox, recorded_hook: Hook, fault: Fault
) -> None:
    recorded_hook.record()
    said: list[str] = []
    github.inject(fault, path=LIST)
    hook = waiting(recorded_hook, github, said)

    assert len(list(hook.deliveries())) == 1
    assert said == ["Waiting 60.0 s: GitHub wants no more requests for now, then half as fast"]


@pytest.mark.parametrize("remaining", ["many", "1e999"])
def test_a_garbled_rate_limit_header_is_no_crash(
    github: Sandbox, recorded_hook: Hook, remaining: str
) -> None:
    headers = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Limit": "most"}
    github.inject(Status(200, body=[], headers=headers), path=LIST)

    with pytest.raises(UnavailableError, match="no usable answer"):
        list(our(recorded_hook, github).deliveries())


def test_a_row_may_have_no_action(github: Sandbox, recorded_hook: Hook) -> None:
    row = a_row()
    del row["action"]
    github.inject(Status(200, body=[row]), path=LIST)

    assert [delivery.action for delivery in our(recorded_hook, github).deliveries()] == [None]


@pytest.mark.parametrize("status", [401, 403, 404, 418])
def test_an_error_that_is_not_githubs_is_told(
    github: Sandbox, recorded_hook: Hook, status: int
) -> None:
    github.inject(Garbage(status=status), path=LIST)

    with pytest.raises(UnavailableError, match=rf"answered \({status}\) is not GitHub's API"):
        list(our(recorded_hook, github).deliveries())


def test_github_that_cannot_be_reached_is_told() -> None:
    nowhere = a_client("http://127.0.0.1:9")

    with pytest.raises(UnavailableError, match=r"no usable answer from 127\.0\.0\.1:9 \(Conn"):
        list(organization_hook(nowhere, "https://github.com", "acme", HookId(7)).deliveries())
