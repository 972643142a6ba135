"""The scene on which a user tries redeliver."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from github_sandbox import Receiver
from github_sandbox.clock import utc_now
from github_sandbox.command.scene import NO_VARIABLES_TOKEN, READ_ONLY_TOKEN, TOKEN, Scene


def statuses(scene: Scene) -> list[int]:
    """Return the status codes in the log, newest first."""
    return [row["status_code"] for row in scene.hook.log]


def respond(scene: Scene, method: str, path: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, scene.url + path, headers=headers, timeout=10)


def test_failures_of_different_events_alternate_with_successes(scene: Scene) -> None:
    scene.fail_in_the_past(5)

    failed = [row for row in scene.hook.log if row["status"] != "OK"]
    assert [(row["event"], row["action"], row["status_code"]) for row in failed] == [
        ("push", None, 503),
        ("check_run", "completed", 400),
        ("issues", "opened", 500),
        ("pull_request", "opened", 502),
        ("push", None, 503),
    ]
    assert statuses(scene)[::2] == [200] * 5


def test_past_failures_are_spread_over_twelve_hours(scene: Scene) -> None:
    scene.fail_in_the_past(4)

    failed = [row for row in scene.hook.log if row["status"] != "OK"]
    ages = [utc_now() - datetime.fromisoformat(row["delivered_at"]) for row in failed]
    assert [round(age / timedelta(hours=1)) for age in ages] == [3, 6, 9, 12]


def test_the_receiver_goes_down_and_up_and_fails(scene: Scene, receiver: Receiver) -> None:
    assert scene.take_down() == "The receiver is down: it refuses connections."
    assert scene.send(1) == "Sent 1: 0 delivered, 1 failed."
    assert scene.bring_up(status=404) == "The receiver is up, and responds with status 404."
    scene.send(1)
    assert scene.bring_up() == "The receiver is up, and responds with status 200."
    assert scene.send(6) == "Sent 6: 6 delivered, 0 failed."

    assert statuses(scene) == [200] * 6 + [404, 502]
    arrived = receiver.received()
    assert [delivery.event for delivery in arrived[1:]] == [
        "push", "pull_request", "issues", "check_run", "push", "pull_request"
    ]  # fmt: skip
    assert all(delivery.signature_valid for delivery in arrived)


def test_an_event_is_older_than_the_next_response(scene: Scene) -> None:
    """A run begins with a response, and handles what failed before that, in whole seconds."""
    scene.take_down()
    scene.send(1)

    date = parsedate_to_datetime(respond(scene, "GET", "/rate_limit", TOKEN).headers["Date"])
    assert datetime.fromisoformat(scene.hook.log[0]["delivered_at"]) <= date


def test_time_passes_for_github(scene: Scene) -> None:
    before = utc_now()

    said = scene.let_pass(timedelta(hours=3))

    date = parsedate_to_datetime(respond(scene, "GET", "/rate_limit", TOKEN).headers["Date"])
    assert timedelta(hours=3) - timedelta(seconds=1) < date - before < timedelta(hours=3, minutes=1)
    assert said.startswith(f"For the simulated GitHub, it is now {date:%Y-%m-%d %H:}")


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        (TOKEN, {"read the log": True, "redeliver": True, "use the variable": True}),
        (READ_ONLY_TOKEN, {"read the log": True, "redeliver": False, "use the variable": True}),
        (NO_VARIABLES_TOKEN, {"read the log": True, "redeliver": True, "use the variable": False}),
    ],
)
def test_two_tokens_lack_a_permission(scene: Scene, token: str, allowed: dict[str, bool]) -> None:
    scene.fail_in_the_past(1)
    log = f"{scene.hook.path}/deliveries"
    requested = {
        "read the log": ("GET", log, 200),
        "redeliver": ("POST", f"{log}/{scene.hook.log[1]['id']}/attempts", 202),
        "use the variable": ("GET", "/repos/acme/ops/actions/variables/A", 404),
    }

    for purpose, (method, path, status) in requested.items():
        response = respond(scene, method, path, token)
        assert response.status_code == (status if allowed[purpose] else 403), purpose
