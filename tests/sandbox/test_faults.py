"""The faults that a test can inject."""

import pytest
import requests

from github_sandbox import (
    Delay,
    Dropped,
    Fault,
    Hook,
    InvalidBody,
    LostResponse,
    Meanwhile,
    Receiver,
    Status,
    Swallowed,
    Truncated,
)
from tests.sandbox.client import VARIABLES, Client, deliveries

ATTEMPTS = ".*/attempts"


def redeliver(client: Client, hook: Hook) -> requests.Response:
    """Request a redelivery, and wait for its end even if the response does not arrive."""
    try:
        return client.redeliver(hook, hook.record())
    finally:
        client.github.settle()


def test_a_status_fault_responds_without_doing_the_work(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    client.github.inject(Status(502, "Bad Gateway", headers={"Retry-After": "7"}))

    response = redeliver(client, hook)

    assert response.status_code == 502
    assert response.json()["message"] == "Bad Gateway"
    assert response.headers["Retry-After"] == "7"
    assert "x-ratelimit-remaining" in response.headers
    assert receiver.received() == []


def test_a_status_fault_can_claim_that_the_limit_is_used_up(client: Client, hook: Hook) -> None:
    client.github.inject(Status(429, headers={"x-ratelimit-remaining": "0"}))

    assert client.get(deliveries(hook)).headers["x-ratelimit-remaining"] == "0"


def test_a_status_fault_can_have_its_own_body(client: Client, hook: Hook) -> None:
    client.github.inject(Status(422, body={"errors": []}))

    assert client.get(deliveries(hook)).json() == {"errors": []}


def test_a_swallowed_redelivery_is_accepted_and_never_made(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    """The response is the same as the API's own."""
    delivery = hook.record()
    accepted = client.redeliver(hook, delivery)
    client.github.inject(Swallowed(), method="POST", path=ATTEMPTS, times=None)

    swallowed = [client.redeliver(hook, delivery) for _ in range(2)]
    client.github.settle()

    assert len(receiver.received()) == 1
    assert len(hook.log) == 2
    for response in swallowed:
        assert (response.status_code, response.json()) == (202, accepted.json())
        assert response.headers.keys() == accepted.headers.keys()


def test_a_redelivery_that_is_refused_cannot_be_swallowed(client: Client, hook: Hook) -> None:
    client.github.inject(Swallowed())

    assert client.redeliver(hook, 7).status_code == 404


def test_a_status_fault_can_refuse_one_event_for_ever(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    """It is injected for each attempt of the event."""
    refused, other = (hook.record(guid=guid, status_code=502) for guid in ("refused", "other"))
    again = hook.record(guid="refused", status_code=502, redelivery=True)
    for delivery in hook.ids_of("refused"):
        client.github.inject(Status(422), method="POST", path=f".*/{delivery}/attempts", times=None)

    codes = [client.redeliver(hook, each).status_code for each in (refused, again, other) * 2]
    client.github.settle()

    assert codes == [422, 422, 202] * 2
    assert [received.guid for received in receiver.received()] == ["other"] * 2


def test_a_lost_reply_drops_the_connection_after_the_work(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    client.github.inject(LostResponse())

    with pytest.raises(requests.ConnectionError):
        redeliver(client, hook)

    assert len(receiver.received()) == 1
    assert client.github.requests[-1].status is None


def test_a_dropped_request_is_never_handled(client: Client, hook: Hook, receiver: Receiver) -> None:
    client.github.inject(Dropped())

    with pytest.raises(requests.ConnectionError):
        redeliver(client, hook)

    assert receiver.received() == []
    assert client.github.requests[-1].status is None


def test_an_invalid_body_is_sent_instead_of_doing_the_work(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    client.github.inject(InvalidBody(b"<html>", status=203))

    response = redeliver(client, hook)

    assert (response.status_code, response.text) == (203, "<html>")
    assert response.headers["Content-Type"] == "text/html"
    assert receiver.received() == []


def test_an_invalid_body_comes_without_the_headers_of_github(client: Client) -> None:
    client.github.inject(InvalidBody())

    headers = client.get("/rate_limit").headers

    assert headers["Server"] == "nginx"
    assert headers["Date"]
    assert not [name for name in headers if name.lower().startswith("x-")]


def test_a_website_can_redirect_every_request_to_a_login_page(client: Client) -> None:
    login = "https://sso.example/login"
    client.github.inject(InvalidBody(status=302, headers={"Location": login}), times=None)

    for path in ("/rate_limit", "/nowhere"):
        response = client.request("GET", path, allow_redirects=False)
        assert (response.status_code, response.headers["Location"]) == (302, login)
        assert response.text.startswith("<html>")


def test_a_truncated_response_comes_after_the_work(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    client.github.inject(Truncated())

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="1 more expected"):
        redeliver(client, hook)

    assert len(receiver.received()) == 1
    assert client.github.requests[-1].status == 202


def test_a_response_without_a_body_can_be_truncated_too(client: Client) -> None:
    ops = client.github.repository("acme/ops")
    ops.variables["A"] = "1"
    client.github.inject(Truncated())

    client.patch(f"{VARIABLES}/A", json={"value": "2"})

    assert ops.variables == {"A": "2"}


def test_a_delay_makes_the_response_late(client: Client, hook: Hook) -> None:
    client.github.inject(Delay(60))

    with pytest.raises(requests.ReadTimeout):
        requests.get(client.github.url + deliveries(hook), timeout=0.05)

    client.github.inject(Delay(0.01))
    assert client.get(deliveries(hook)).status_code == 200


@pytest.mark.parametrize(
    ("after", "rows"), [pytest.param(False, 0, id="before"), pytest.param(True, 1, id="after")]
)
def test_an_action_can_happen_before_or_after_the_work(
    client: Client, hook: Hook, *, after: bool, rows: int
) -> None:
    seen = []

    def look() -> None:
        client.github.settle()
        seen.append([row["redelivery"] for row in client.get(deliveries(hook)).json()].count(True))
        assert client.github.requests[0].status is None

    delivery = hook.record()
    client.github.inject(Meanwhile(look, after=after))

    assert client.redeliver(hook, delivery).status_code == 202
    assert seen == [rows]


def test_an_action_happens_even_if_the_reply_is_lost(client: Client, hook: Hook) -> None:
    happened: list[None] = []
    client.github.inject(Meanwhile(lambda: happened.append(None), after=True))
    client.github.inject(LostResponse())

    with pytest.raises(requests.ConnectionError):
        client.get(deliveries(hook))

    assert happened == [None]


@pytest.mark.parametrize("fault", [LostResponse(), Dropped(), Truncated()], ids=repr)
def test_a_request_after_a_broken_connection_succeeds(
    client: Client, hook: Hook, fault: Fault
) -> None:
    client.github.inject(fault)

    with pytest.raises(requests.RequestException):
        client.get(deliveries(hook))

    assert client.get(deliveries(hook)).status_code == 200


@pytest.mark.parametrize(
    ("nth", "times", "codes"),
    [
        pytest.param(1, 1, [500, 200, 200, 200], id="the first"),
        pytest.param(2, 2, [200, 500, 500, 200], id="the second and third"),
        pytest.param(3, None, [200, 200, 500, 500], id="all from the third on"),
    ],
)
def test_a_fault_applies_to_the_chosen_requests(
    client: Client, hook: Hook, nth: int, times: int | None, codes: list[int]
) -> None:
    client.github.inject(Status(500), nth=nth, times=times)

    assert [client.get(deliveries(hook)).status_code for _ in codes] == codes


def test_requests_before_the_injection_do_not_count(client: Client, hook: Hook) -> None:
    client.get(deliveries(hook))
    client.github.inject(Status(500), nth=2)

    assert [client.get(deliveries(hook)).status_code for _ in range(2)] == [200, 500]


def test_a_fault_applies_only_to_its_method_and_path(client: Client, hook: Hook) -> None:
    client.github.inject(Status(500), method="POST", path=ATTEMPTS, times=None)
    delivery = hook.record()

    assert client.get(deliveries(hook)).status_code == 200
    assert client.get(f"{deliveries(hook)}/{delivery}/attempts").status_code == 404
    assert client.redeliver(hook, delivery).status_code == 500


def test_a_fault_applies_with_and_without_the_prefix(client: Client, hook: Hook) -> None:
    client.github.inject(Status(500), path=deliveries(hook))

    assert client.get("/api/v3" + deliveries(hook)).status_code == 500


def test_faults_of_the_same_request_wrap_each_other(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    client.github.inject(LostResponse())
    client.github.inject(Delay(0.01))
    client.github.inject(Truncated())
    client.github.inject(InvalidBody())

    with pytest.raises(requests.ConnectionError):
        redeliver(client, hook)

    assert receiver.received() == []


def test_a_dropped_request_stays_dropped_when_truncated(client: Client, hook: Hook) -> None:
    """A fault cannot bring back a response that another fault has dropped."""
    client.github.inject(Truncated())
    client.github.inject(Dropped())

    with pytest.raises(requests.ConnectionError):
        client.get(deliveries(hook))
