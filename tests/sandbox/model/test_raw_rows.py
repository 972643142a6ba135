"""Rows of the delivery log that are any JSON value."""

from datetime import timedelta
from typing import Any

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock
from tests.sandbox.client import NOT_FOUND, TOKEN, Client, deliveries, refusal

ROWS: list[Any] = [
    None,
    "<row>",
    7,
    ["a", {"b": None}],
    {},
    {"id": "12", "guid": None, "delivered_at": "yesterday"},
]


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_a_raw_row_is_at_the_place_of_its_time(
    client: Client, recorded_hook: Hook, clock: VirtualClock, row: object
) -> None:
    older = recorded_hook.record(at=clock() - timedelta(hours=2))
    newer = recorded_hook.record()
    recorded_hook.record_raw(row, at=clock() - timedelta(hours=1))

    first, second, third = client.get(deliveries(recorded_hook)).json()

    assert (first["id"], second, third["id"]) == (newer, row, older)
    assert recorded_hook.log == [first, row, third]


def test_a_raw_row_is_at_the_place_of_its_writing_in_a_log_by_id(clock: VirtualClock) -> None:
    with Sandbox(clock=clock, sort_logs_by="id") as github:
        github.token(TOKEN, organization_hooks="read")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        older = hook.record()
        hook.record_raw(None, at=clock() - timedelta(hours=1))
        newer = hook.record()

        first, second, third = Client(github).get(deliveries(hook)).json()

    assert (first["id"], second, third["id"]) == (newer, None, older)


@pytest.mark.parametrize("per_page", [1, 2])
def test_pages_can_begin_and_end_with_raw_rows(
    client: Client, recorded_hook: Hook, clock: VirtualClock, per_page: int
) -> None:
    for number in range(5):
        recorded_hook.record_raw({"number": number}, at=clock() + timedelta(seconds=number))

    pages = client.pages(recorded_hook, per_page=per_page)

    assert [row["number"] for page in pages for row in page] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("row", "filters"),
    [
        pytest.param({"status_code": 200}, ["success"], id="success"),
        pytest.param({"status_code": 502}, ["failure"], id="failure"),
        pytest.param({"status_code": 0}, [], id="neither"),
        pytest.param({"status_code": "502"}, ["success", "failure"], id="text as code"),
        pytest.param(None, ["success", "failure"], id="no code"),
    ],
)
def test_the_status_filter_selects_raw_rows_by_their_code(
    client: Client, recorded_hook: Hook, row: object, filters: list[str]
) -> None:
    """A row without a status code that is a number is in every listing."""
    recorded_hook.record_raw(row)

    listings = {
        status: client.get(deliveries(recorded_hook), params={"status": status}).json()
        for status in ("success", "failure")
    }

    assert [status for status, listing in listings.items() if listing == [row]] == filters
    assert all(listing == [] for status, listing in listings.items() if status not in filters)


def test_a_raw_row_is_not_found_by_its_id(client: Client, recorded_hook: Hook) -> None:
    recorded_hook.record_raw({"id": 7})

    assert refusal(client.get(f"{deliveries(recorded_hook)}/7")) == NOT_FOUND
    assert refusal(client.redeliver(recorded_hook, 7)) == NOT_FOUND


def test_a_raw_row_can_have_the_id_of_a_delivery(
    client: Client, hook: Hook, receiver: Receiver
) -> None:
    delivery = hook.record(guid="missed", status_code=502)
    hook.record_raw({"id": delivery, "guid": "missed"})

    assert client.redeliver(hook, delivery).status_code == 202
    client.github.settle()

    assert [received.guid for received in receiver.received()] == ["missed"]
    assert hook.ids_of("missed") == [row["id"] for row in hook.log if "event" in row]


def test_a_raw_row_older_than_the_retention_is_gone(
    recorded_hook: Hook, clock: VirtualClock
) -> None:
    recorded_hook.record_raw(None, at=clock() - timedelta(days=3, seconds=1))
    recorded_hook.record_raw("kept", at=clock() - timedelta(days=3))

    assert recorded_hook.log == ["kept"]


def test_a_deleted_hook_gets_no_raw_rows(recorded_hook: Hook) -> None:
    recorded_hook.delete()

    with pytest.raises(LookupError, match="was deleted"):
        recorded_hook.record_raw(None)
