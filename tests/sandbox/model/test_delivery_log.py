"""The delivery log: its fields, its order, its filter, and its retention."""

from datetime import UTC, datetime, timedelta

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import TOKEN, Client, deliveries


def test_a_delivery_has_the_fields_of_the_documentation(
    client: Client, hook: Hook, clock: VirtualClock
) -> None:
    guid = hook.emit(
        "pull_request",
        action="opened",
        payload={"repository": {"id": 42}, "installation": {"id": 7}},
    )

    [row] = client.get(deliveries(hook)).json()

    assert isinstance(row.pop("id"), int)
    assert isinstance(row.pop("duration"), float)
    assert datetime.fromisoformat(row.pop("delivered_at")) == clock()
    assert row == {
        "guid": guid,
        "redelivery": False,
        "status": "OK",
        "status_code": 200,
        "event": "pull_request",
        "action": "opened",
        "installation_id": 7,
        "repository_id": 42,
        "throttled_at": None,
    }


def test_a_missing_part_of_an_event_is_null(client: Client, recorded_hook: Hook) -> None:
    recorded_hook.record()

    [row] = client.get(deliveries(recorded_hook)).json()

    assert row["action"] is row["installation_id"] is row["repository_id"] is None


def test_an_id_has_nineteen_digits_that_a_float_corrupts(recorded_hook: Hook) -> None:
    """Each id is larger than the one before, and differs from its nearest float."""
    ids = [recorded_hook.record() for _ in range(300)]

    assert ids == sorted(set(ids))
    assert all(len(str(number)) == 19 and number > 2**53 for number in ids)
    assert all(int(float(number)) != number for number in ids)


def test_a_timestamp_comes_with_and_without_milliseconds(
    recorded_hook: Hook, clock: VirtualClock
) -> None:
    recorded_hook.record(at=clock())
    recorded_hook.record(at=clock())
    recorded_hook.record(at=clock() + timedelta(microseconds=250_999))

    latest, *same = [row["delivered_at"] for row in recorded_hook.log]

    assert latest == "2026-01-10T00:00:00.250Z"
    assert sorted(same) == ["2026-01-10T00:00:00.000Z", "2026-01-10T00:00:00Z"]


def test_a_time_without_a_time_zone_is_refused(recorded_hook: Hook, clock: VirtualClock) -> None:
    naive = clock().replace(tzinfo=None)

    with pytest.raises(ValueError, match="time zone"):
        recorded_hook.record(at=naive)
    with pytest.raises(ValueError, match="time zone"):
        recorded_hook.record(shown_at=naive)


def test_the_newest_delivery_and_the_larger_id_come_first(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """Newest first, and of two deliveries at the same time the one with the larger id."""
    first = recorded_hook.record(at=clock())
    second = recorded_hook.record(at=clock())
    late = recorded_hook.record(at=clock() - timedelta(hours=1))

    ids = [row["id"] for row in client.get(deliveries(recorded_hook)).json()]
    assert ids == [row["id"] for row in recorded_hook.log] == [second, first, late]


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        pytest.param("success", [399, 200], id="success includes redirects"),
        pytest.param("failure", [599, 400], id="failure"),
        pytest.param(None, [600, 599, 400, 399, 200, 0], id="no filter includes code 0"),
    ],
)
def test_the_status_filter_selects_by_code(
    client: Client, recorded_hook: Hook, outcome: str | None, codes: list[int]
) -> None:
    for code in (0, 200, 399, 400, 599, 600):
        recorded_hook.record(status="whatever", status_code=code)

    rows = client.get(deliveries(recorded_hook), params={"status": outcome}).json()

    assert [row["status_code"] for row in rows] == codes


@pytest.mark.parametrize("status", ["success", "failure", "OK"])
def test_an_old_server_ignores_the_status_filter(status: str, clock: VirtualClock) -> None:
    with Sandbox(filters=False, clock=clock) as github:
        github.token(TOKEN, organization_hooks="read")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        for code in (200, 502, 200):
            hook.record(status="whatever", status_code=code)

        pages = Client(github).pages(hook, per_page=2, status=status)

    assert [[row["status_code"] for row in page] for page in pages] == [[200, 502], [200]]


def test_a_single_delivery_is_shown_with_request_and_response(client: Client, hook: Hook) -> None:
    guid = hook.emit("push", payload={"ref": "refs/heads/main"})
    [row] = hook.log

    delivery = client.get(f"{deliveries(hook)}/{row['id']}").json()

    assert delivery["request"]["headers"]["X-GitHub-Delivery"] == guid
    assert delivery["request"]["payload"] == {"ref": "refs/heads/main"}
    assert delivery["response"]["headers"]["Content-Length"] == "0"
    assert delivery["url"].endswith("/hook")
    assert row.items() <= delivery.items()


def test_a_delivery_older_than_the_retention_is_gone(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    old = recorded_hook.record()
    clock.advance(timedelta(days=2))
    young = recorded_hook.record()
    path = f"{deliveries(recorded_hook)}/{old}"
    assert client.get(path).status_code == 200

    clock.advance(timedelta(days=1, seconds=1))

    assert [row["id"] for row in client.get(deliveries(recorded_hook)).json()] == [young]
    assert [row["id"] for row in recorded_hook.log] == [young]
    assert client.get(path).status_code == 404
    assert client.redeliver(recorded_hook, old).status_code == 404
    with pytest.raises(LookupError, match=str(old)):
        recorded_hook.redeliver(old)


def test_a_server_can_keep_its_log_longer(receiver: Receiver) -> None:
    with Sandbox(retention=timedelta(days=7)) as github:
        hook = github.org("acme").hook(receiver.url)
        hook.record(at=datetime.now(UTC) - timedelta(days=6))
        hook.record(at=datetime.now(UTC) - timedelta(days=8))

        assert len(hook.log) == 1


def test_hostile_text_is_kept_unchanged(client: Client, recorded_hook: Hook) -> None:
    hostile = "::error::\r##[error]\x1b[31m|<b>\u202e\U0001f4a5"
    recorded_hook.record(event=hostile, action=hostile, guid=hostile, status=hostile)

    [row] = client.get(deliveries(recorded_hook)).json()

    assert row["event"] == row["action"] == row["guid"] == row["status"] == hostile


def test_each_hook_has_its_own_log(client: Client, hook: Hook, recorded_hook: Hook) -> None:
    delivery = recorded_hook.record()

    assert client.get(deliveries(hook)).json() == []
    assert client.get(f"{deliveries(hook)}/{delivery}").status_code == 404
    assert client.redeliver(hook, delivery).status_code == 404
