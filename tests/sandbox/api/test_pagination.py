"""The pages of listings, which do not move when deliveries arrive."""

from datetime import datetime, timedelta

import pytest

from github_sandbox import Hook, VirtualClock
from tests.sandbox.client import Client, deliveries


def test_a_page_has_thirty_deliveries_by_default(client: Client, recorded_hook: Hook) -> None:
    ids = [recorded_hook.record() for _ in range(65)][::-1]

    pages = client.pages(recorded_hook)

    assert [len(page) for page in pages] == [30, 30, 5]
    assert [row["id"] for page in pages for row in page] == ids


def test_every_page_but_the_last_has_a_link(client: Client, recorded_hook: Hook) -> None:
    for _ in range(4):
        recorded_hook.record()

    assert "Link" not in client.get(deliveries(recorded_hook), params={"per_page": 4}).headers
    assert [len(page) for page in client.pages(recorded_hook, per_page=2)] == [2, 2]


def test_the_end_of_a_filtered_log_has_no_link(client: Client, recorded_hook: Hook) -> None:
    recorded_hook.record()
    recorded_hook.record(status="timed out", status_code=504)

    pages = client.pages(recorded_hook, per_page=1, status="failure")

    assert [[row["status_code"] for row in page] for page in pages] == [[504]]


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_a_link_begins_with_the_url_that_the_client_used(
    client: Client, recorded_hook: Hook, prefix: str
) -> None:
    for _ in range(2):
        recorded_hook.record()

    url = client.github.url + prefix + deliveries(recorded_hook)
    link = client.get(url, params={"per_page": 1, "status": "success"}).links["next"]["url"]

    assert link.startswith(f"{url}?")
    assert "per_page=1" in link
    assert "status=success" in link
    assert "cursor=v1_" in link


def test_pages_do_not_move_when_deliveries_arrive(client: Client, recorded_hook: Hook) -> None:
    ids = [recorded_hook.record() for _ in range(4)][::-1]
    first = client.get(deliveries(recorded_hook), params={"per_page": 2})

    recorded_hook.record()
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in first.json() + second.json()] == ids


def test_a_late_delivery_is_sorted_by_its_time(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    for hours in (1, 2, 3):
        recorded_hook.record(at=clock() - timedelta(hours=hours))
    first = client.get(deliveries(recorded_hook), params={"per_page": 1})

    late = recorded_hook.record(at=clock() - timedelta(hours=1, minutes=30))
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in second.json()] == [late]


def test_a_delivery_shown_between_two_pages_moves_no_other(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """A delivery that the API begins to show between two pages does not move the others."""

    def record(hours_ago: int, *, shown_at: datetime | None = None) -> int:
        return recorded_hook.record(at=clock() - timedelta(hours=hours_ago), shown_at=shown_at)

    soon = clock() + timedelta(seconds=1)
    newest = record(0)
    missed = record(1, shown_at=soon)
    second = record(2)
    met = record(3, shown_at=soon)
    oldest = record(4)
    first_page = client.get(deliveries(recorded_hook), params={"per_page": 2})

    clock.advance(timedelta(seconds=1))
    rest = client.get(first_page.links["next"]["url"])

    assert [row["id"] for row in first_page.json()] == [newest, second]
    assert [row["id"] for row in rest.json()] == [met, oldest]
    assert [row["id"] for page in client.pages(recorded_hook, per_page=2) for row in page] == [
        newest,
        missed,
        second,
        met,
        oldest,
    ]


def test_a_delivery_that_is_not_shown_yet_has_no_page(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        recorded_hook.record()
    recorded_hook.record(at=clock() - timedelta(1), shown_at=clock() + timedelta(1))

    assert "Link" not in client.get(deliveries(recorded_hook), params={"per_page": 2}).headers


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param({"per_page": "0"}, 422, id="no rows per page"),
        pytest.param({"per_page": "many"}, 422, id="text instead of a number"),
        pytest.param({"status": "OK"}, 422, id="an unknown status"),
        pytest.param({"cursor": "2"}, 400, id="a page number as cursor"),
        pytest.param({"cursor": "v1_%%"}, 400, id="a cursor that is not Base64"),
        pytest.param({"cursor": "v1_AAAA"}, 400, id="a cursor of another server"),
        pytest.param(
            {"cursor": "v1_OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE"}, 400, id="a cursor in the far future"
        ),
    ],
)
def test_a_listing_with_an_invalid_query_is_refused(
    client: Client, recorded_hook: Hook, query: dict[str, str], status: int
) -> None:
    response = client.get(deliveries(recorded_hook), params=query)

    assert response.status_code == status
    assert response.json()["message"].startswith("Invalid request")
