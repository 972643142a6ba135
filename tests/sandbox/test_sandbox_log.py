"""The log of deliveries, and how it is paged."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from github_sandbox import Hook, Receiver, Sandbox, VirtualClock

from .client import TOKEN, Client, deliveries


def test_a_row_has_the_fields_of_the_documentation(
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


def test_what_an_event_lacks_is_null(client: Client, bookkeeping: Hook) -> None:
    bookkeeping.record()

    [row] = client.get(deliveries(bookkeeping)).json()

    assert row["action"] is row["installation_id"] is row["repository_id"] is None


def test_ids_grow_have_nineteen_digits_and_do_not_survive_a_float(bookkeeping: Hook) -> None:
    ids = [bookkeeping.record() for _ in range(300)]

    assert ids == sorted(set(ids))
    assert all(len(str(number)) == 19 and number > 2**53 for number in ids)
    assert all(int(float(number)) != number for number in ids)


def test_instants_come_with_and_without_milliseconds(
    bookkeeping: Hook, clock: VirtualClock
) -> None:
    bookkeeping.record(at=clock())
    bookkeeping.record(at=clock())
    bookkeeping.record(at=clock() + timedelta(microseconds=250_999))

    latest, *same = [row["delivered_at"] for row in bookkeeping.log]

    assert latest == "2026-01-10T00:00:00.250Z"
    assert sorted(same) == ["2026-01-10T00:00:00.000Z", "2026-01-10T00:00:00Z"]


def test_an_instant_without_a_time_zone_is_a_mistake(bookkeeping: Hook) -> None:
    mistake = datetime(2026, 1, 9)  # noqa: DTZ001 - for this is one
    with pytest.raises(ValueError, match="time zone"):
        bookkeeping.record(at=mistake)
    with pytest.raises(ValueError, match="time zone"):
        bookkeeping.record(shown_at=mistake)


def test_the_newest_comes_first_and_of_equals_the_larger_id(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    first = bookkeeping.record(at=clock())
    second = bookkeeping.record(at=clock())
    late = bookkeeping.record(at=clock() - timedelta(hours=1))

    assert [row["id"] for row in client.get(deliveries(bookkeeping)).json()] == [
        second,
        first,
        late,
    ]
    assert [row["id"] for row in bookkeeping.log] == [second, first, late]


def test_a_page_has_thirty_rows_unless_told(client: Client, bookkeeping: Hook) -> None:
    ids = [bookkeeping.record() for _ in range(65)][::-1]

    pages = client.pages(bookkeeping)

    assert [len(page) for page in pages] == [30, 30, 5]
    assert [row["id"] for page in pages for row in page] == ids


def test_only_a_page_that_is_not_the_last_has_a_link(client: Client, bookkeeping: Hook) -> None:
    for _ in range(4):
        bookkeeping.record()

    assert "Link" not in client.get(deliveries(bookkeeping), params={"per_page": 4}).headers
    assert [len(page) for page in client.pages(bookkeeping, per_page=2)] == [2, 2]


def test_the_end_of_a_filtered_log_has_no_link(client: Client, bookkeeping: Hook) -> None:
    bookkeeping.record()
    bookkeeping.record(status="timed out", status_code=504)

    pages = client.pages(bookkeeping, per_page=1, status="failure")

    assert [[row["status_code"] for row in page] for page in pages] == [[504]]


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_a_link_leads_back_to_where_the_client_came_from(
    client: Client, bookkeeping: Hook, prefix: str
) -> None:
    for _ in range(2):
        bookkeeping.record()

    address = client.github.url + prefix + deliveries(bookkeeping)
    link = client.get(address, params={"per_page": 1, "status": "success"}).links["next"]["url"]

    assert link.startswith(f"{address}?")
    assert "per_page=1" in link
    assert "status=success" in link
    assert "cursor=v1_" in link


def test_pages_stay_where_they_are_while_rows_arrive(client: Client, bookkeeping: Hook) -> None:
    ids = [bookkeeping.record() for _ in range(4)][::-1]
    first = client.get(deliveries(bookkeeping), params={"per_page": 2})

    bookkeeping.record()
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in first.json() + second.json()] == ids


def test_a_row_that_comes_late_shows_up_in_its_place(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    for hours in (1, 2, 3):
        bookkeeping.record(at=clock() - timedelta(hours=hours))
    first = client.get(deliveries(bookkeeping), params={"per_page": 1})

    late = bookkeeping.record(at=clock() - timedelta(hours=1, minutes=30))
    second = client.get(first.links["next"]["url"])

    assert [row["id"] for row in second.json()] == [late]


def test_a_row_that_shows_up_between_two_pages_moves_none_of_the_others(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    def record(hours_ago: int, *, shown_at: datetime | None = None) -> int:
        return bookkeeping.record(at=clock() - timedelta(hours=hours_ago), shown_at=shown_at)

    soon = clock() + timedelta(seconds=1)
    newest = record(0)
    missed = record(1, shown_at=soon)
    second = record(2)
    met = record(3, shown_at=soon)
    oldest = record(4)
    first_page = client.get(deliveries(bookkeeping), params={"per_page": 2})

    clock.advance(timedelta(seconds=1))
    rest = client.get(first_page.links["next"]["url"])

    assert [row["id"] for row in first_page.json()] == [newest, second]
    assert [row["id"] for row in rest.json()] == [met, oldest]
    assert [row["id"] for page in client.pages(bookkeeping, per_page=2) for row in page] == [
        newest,
        missed,
        second,
        met,
        oldest,
    ]


def test_what_does_not_show_yet_has_no_page(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        bookkeeping.record()
    bookkeeping.record(at=clock() - timedelta(1), shown_at=clock() + timedelta(1))

    assert "Link" not in client.get(deliveries(bookkeeping), params={"per_page": 2}).headers


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [
        pytest.param("success", [399, 200], id="success includes redirects"),
        pytest.param("failure", [599, 400], id="failure"),
        pytest.param(None, [600, 599, 400, 399, 200, 0], id="code 0 is in neither"),
    ],
)
def test_the_status_filter(
    client: Client, bookkeeping: Hook, outcome: str | None, codes: list[int]
) -> None:
    for code in (0, 200, 399, 400, 599, 600):
        bookkeeping.record(status="whatever", status_code=code)

    rows = client.get(deliveries(bookkeeping), params={"status": outcome}).json()

    assert [row["status_code"] for row in rows] == codes


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param({"per_page": "0"}, 422, id="none a page"),
        pytest.param({"per_page": "many"}, 422, id="no number"),
        pytest.param({"status": "OK"}, 422, id="no such outcome"),
        pytest.param({"cursor": "2"}, 400, id="a page number for a cursor"),
        pytest.param({"cursor": "v1_%%"}, 400, id="no base 64"),
        pytest.param({"cursor": "v1_AAAA"}, 400, id="another's cursor"),
        pytest.param({"cursor": "v1_OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE"}, 400, id="far future"),
    ],
)
def test_a_listing_is_refused(
    client: Client, bookkeeping: Hook, query: dict[str, str], status: int
) -> None:
    response = client.get(deliveries(bookkeeping), params=query)

    assert response.status_code == status
    assert response.json()["message"].startswith("Invalid request")


def test_many_are_recorded_evenly_spread_from_the_first_instant_to_the_last(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    bookkeeping.record_many(5, since=clock() - timedelta(hours=4), until=clock())

    rows = client.get(deliveries(bookkeeping)).json()

    assert [datetime.fromisoformat(row["delivered_at"]) for row in rows] == [
        clock() - timedelta(hours=hours) for hours in range(5)
    ]
    assert all(
        (row["status"], row["status_code"], row["redelivery"]) == ("OK", 200, False) for row in rows
    )
    assert {row["event"] for row in rows} == {"push"}


@pytest.mark.parametrize("count", [0, 1])
def test_few_are_recorded_as_many_are(bookkeeping: Hook, clock: VirtualClock, count: int) -> None:
    bookkeeping.record_many(count, since=clock() - timedelta(hours=1), until=clock())

    instants = [datetime.fromisoformat(row["delivered_at"]) for row in bookkeeping.log]

    assert instants == [clock() - timedelta(hours=1)] * count


def test_each_of_many_has_an_id_and_a_guid_of_its_own(
    bookkeeping: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        bookkeeping.record_many(500, since=clock() - timedelta(hours=1), until=clock())

    rows = bookkeeping.log

    assert len({row["id"] for row in rows}) == len({row["guid"] for row in rows}) == 1000
    assert all(str(UUID(row["guid"])) == row["guid"] for row in rows)


def test_many_take_their_places_among_what_is_there(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    for _ in range(2):
        for minutes in (90, 30):
            bookkeeping.record(at=clock() - timedelta(minutes=minutes), status_code=502)
        bookkeeping.record_many(50, since=clock() - timedelta(hours=2), until=clock())

    rows = [row for page in client.pages(bookkeeping, per_page=9) for row in page]
    places = [(datetime.fromisoformat(row["delivered_at"]), row["id"]) for row in rows]

    assert len(rows) == 104
    assert places == sorted(places, reverse=True)
    for status, codes in (("success", {200}), ("failure", {502})):
        pages = client.pages(bookkeeping, per_page=3, status=status)
        assert [row for page in pages for row in page] == [
            row for row in rows if row["status_code"] in codes
        ]


def test_one_of_many_is_shown_and_redelivered_like_any_other(
    client: Client, hook: Hook, receiver: Receiver, clock: VirtualClock
) -> None:
    hook.record_many(3, since=clock() - timedelta(hours=1), until=clock())
    row = hook.log[1]

    shown = client.get(f"{deliveries(hook)}/{row['id']}").json()
    client.redeliver(hook, row["id"])
    client.github.settle()

    assert row.items() <= shown.items()
    [received] = receiver.received()
    assert received.guid == row["guid"]
    assert received.payload == shown["request"]["payload"]


@pytest.mark.parametrize("status", ["success", "failure", "OK"])
def test_an_older_server_ignores_the_status_filter(status: str, clock: VirtualClock) -> None:
    with Sandbox(filters=False, clock=clock) as github:
        github.token(TOKEN, organization_hooks="read")
        hook = github.org("acme").hook("http://127.0.0.1:9/hook")
        for code in (200, 502, 200):
            hook.record(status="whatever", status_code=code)

        pages = Client(github).pages(hook, per_page=2, status=status)

    assert [[row["status_code"] for row in page] for page in pages] == [[200, 502], [200]]


def test_one_delivery_is_shown_with_what_was_said(client: Client, hook: Hook) -> None:
    guid = hook.emit("push", payload={"ref": "refs/heads/main"})
    [row] = hook.log

    delivery = client.get(f"{deliveries(hook)}/{row['id']}").json()

    assert delivery["request"]["headers"]["X-GitHub-Delivery"] == guid
    assert delivery["request"]["payload"] == {"ref": "refs/heads/main"}
    assert delivery["response"]["headers"]["Content-Length"] == "0"
    assert delivery["url"].endswith("/hook")
    assert row.items() <= delivery.items()


def test_what_is_older_than_the_retention_is_gone(
    client: Client, bookkeeping: Hook, clock: VirtualClock
) -> None:
    old = bookkeeping.record()
    clock.advance(timedelta(days=2))
    young = bookkeeping.record()
    path = f"{deliveries(bookkeeping)}/{old}"
    assert client.get(path).status_code == 200

    clock.advance(timedelta(days=1, seconds=1))

    assert [row["id"] for row in client.get(deliveries(bookkeeping)).json()] == [young]
    assert [row["id"] for row in bookkeeping.log] == [young]
    assert client.get(path).status_code == 404
    assert client.redeliver(bookkeeping, old).status_code == 404
    with pytest.raises(LookupError, match=str(old)):
        bookkeeping.redeliver(old)


def test_a_server_may_keep_its_log_longer(receiver: Receiver) -> None:
    with Sandbox(retention=timedelta(days=7)) as github:
        hook = github.org("acme").hook(receiver.url)
        hook.record(at=datetime.now(UTC) - timedelta(days=6))
        hook.record(at=datetime.now(UTC) - timedelta(days=8))

        assert len(hook.log) == 1


def test_hostile_text_is_kept_as_it_is(client: Client, bookkeeping: Hook) -> None:
    hostile = "::error::\r##[error]\x1b[31m|<b>\u202e\U0001f4a5"
    bookkeeping.record(event=hostile, action=hostile, guid=hostile, status=hostile)

    [row] = client.get(deliveries(bookkeeping)).json()

    assert row["event"] == row["action"] == row["guid"] == row["status"] == hostile


def test_hooks_are_shown_without_their_secret(client: Client, hook: Hook) -> None:
    [listed] = client.get("/orgs/acme/hooks").json()
    shown = client.get(f"/orgs/acme/hooks/{hook.id}").json()

    assert listed == shown
    assert shown["id"] == hook.id
    assert shown["config"]["secret"] == "********"
    assert shown["config"]["url"].endswith("/hook")
    assert shown["deliveries_url"] == client.github.url + deliveries(hook)


def test_hooks_come_in_pages(client: Client) -> None:
    hooks = [client.github.org("acme").hook("http://127.0.0.1:9") for _ in range(3)]

    first = client.get("/orgs/acme/hooks", params={"per_page": 2})
    second = client.get(first.links["next"]["url"])

    assert [each["id"] for each in first.json() + second.json()] == [each.id for each in hooks]
    assert "next" not in second.links


def test_each_hook_has_its_own_log(client: Client, hook: Hook, bookkeeping: Hook) -> None:
    delivery = bookkeeping.record()

    assert client.get(deliveries(hook)).json() == []
    assert client.get(f"{deliveries(hook)}/{delivery}").status_code == 404
    assert client.redeliver(hook, delivery).status_code == 404
