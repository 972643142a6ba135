"""The pages of listings, which do not move when deliveries arrive."""

from datetime import datetime, timedelta
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from github_sandbox import Hook, Sandbox, VirtualClock
from github_sandbox.model.delivery_log import SortBy
from tests.sandbox.client import TOKEN, Client, deliveries


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


def cursors(response: requests.Response) -> dict[str, str]:
    """Return the cursors of a page's links, by their relations."""
    return {
        relation: parse_qs(urlsplit(link["url"]).query)["cursor"][0]
        for relation, link in response.links.items()
    }


@pytest.mark.parametrize("sort_by", get_args(SortBy))
def test_a_cursor_is_the_id_of_the_first_row_of_its_page(
    clock: VirtualClock, sort_by: SortBy
) -> None:
    """A page has links to the next and to the previous one, and no others."""
    with Sandbox(clock=clock, sort_logs_by=sort_by) as github:
        github.token(TOKEN, organization_hooks="read")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        for _ in range(7):
            hook.record()
        client = Client(github)
        first = client.get(deliveries(hook), params={"per_page": 3})
        second = client.get(first.links["next"]["url"])
        third = client.get(second.links["next"]["url"])
        back = client.get(third.links["prev"]["url"])
        start = client.get(second.links["prev"]["url"])

    cursor = [f"v1_{page.json()[0]['id']}" for page in (first, second, third)]
    assert cursors(first) == {"next": cursor[1]}
    assert cursors(second) == {"next": cursor[2], "prev": cursor[0]}
    assert cursors(third) == {"prev": cursor[1]}
    assert (back.json(), cursors(back)) == (second.json(), cursors(second))
    assert (start.json(), cursors(start)) == (first.json(), cursors(first))


def test_the_page_before_is_shorter_near_the_newest_row(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """Its cursor is the newest row that is shown and matches the filter."""
    matching = [recorded_hook.record(status_code=502) for _ in range(3)]
    recorded_hook.record()
    recorded_hook.record(status_code=502, shown_at=clock() + timedelta(seconds=1))
    response = client.get(
        deliveries(recorded_hook),
        params={"per_page": 2, "status": "failure", "cursor": f"v1_{matching[1]}"},
    )

    assert [row["id"] for row in response.json()] == [matching[1], matching[0]]
    assert cursors(response) == {"prev": f"v1_{matching[2]}"}


@pytest.mark.parametrize("per_page", [None, 2])
def test_a_link_keeps_the_parameters_of_the_request(
    client: Client, recorded_hook: Hook, per_page: int | None
) -> None:
    for _ in range(40):
        recorded_hook.record()

    response = client.get(deliveries(recorded_hook), params={"per_page": per_page})

    [link] = response.links.values()
    assert parse_qs(urlsplit(link["url"]).query).get("per_page") == (
        [str(per_page)] if per_page else None
    )


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
    for hours in (1, 2, 3, 4):
        recorded_hook.record(at=clock() - timedelta(hours=hours))
    first = client.get(deliveries(recorded_hook), params={"per_page": 1})

    late = recorded_hook.record(at=clock() - timedelta(hours=2, minutes=30))
    second = client.get(first.links["next"]["url"])
    third = client.get(second.links["next"]["url"])

    assert [row["id"] for row in third.json()] == [late]


def test_a_delivery_shown_between_two_pages_moves_no_other(
    client: Client, recorded_hook: Hook, clock: VirtualClock
) -> None:
    """A client misses one whose place is before the first row of the page that it reads next."""

    def record(hours_ago: int, *, shown_at: datetime | None = None) -> int:
        return recorded_hook.record(at=clock() - timedelta(hours=hours_ago), shown_at=shown_at)

    soon = clock() + timedelta(seconds=1)
    newest = record(0)
    missed = record(1, shown_at=soon)
    second = record(2)
    at_the_border = record(3, shown_at=soon)
    third = record(4)
    met = record(5, shown_at=soon)
    first_page = client.get(deliveries(recorded_hook), params={"per_page": 2})

    clock.advance(timedelta(seconds=1))
    rest = client.get(first_page.links["next"]["url"])

    assert [row["id"] for row in first_page.json()] == [newest, second]
    assert [row["id"] for row in rest.json()] == [third, met]
    assert [row["id"] for page in client.pages(recorded_hook, per_page=2) for row in page] == [
        newest,
        missed,
        second,
        at_the_border,
        third,
        met,
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
        pytest.param({"cursor": "v1_"}, 400, id="a cursor without an id"),
        pytest.param({"cursor": "v1_AAAA"}, 400, id="a cursor that is not an id"),
        pytest.param({"cursor": "v1_7"}, 400, id="a cursor of another log"),
        pytest.param({"cursor": "v2_{id}"}, 400, id="a cursor of another version"),
    ],
)
def test_a_listing_with_an_invalid_query_is_refused(
    client: Client, recorded_hook: Hook, query: dict[str, str], status: int
) -> None:
    delivery = recorded_hook.record()
    params = {name: text.format(id=delivery) for name, text in query.items()}

    response = client.get(deliveries(recorded_hook), params=params)

    assert response.status_code == status
    assert response.json()["message"].startswith("Invalid request")
