"""A webhook's delivery log: its pages, its rows, and redeliveries."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import count, cycle, islice

import pytest

from github_sandbox import Hook, Receiver, Sandbox, Status
from redeliver.core.delivery import StatusFilter
from redeliver.core.unreadable import LONG_AGO
from redeliver.errors import RateLimitError, RefusalError, UnavailableError
from redeliver.github_api import delivery_log
from redeliver.github_api.delivery_log import DeliveryLog
from redeliver.github_api.response import parse_time
from tests.support.builders import DOCUMENTED_ROW, ago
from tests.support.sandboxes import a_client, a_delivery_log, rows_of

LOG = ".*/deliveries"


@pytest.mark.parametrize(
    "prefix", [pytest.param("", id="github.com"), pytest.param("/api/v3", id="Enterprise Server")]
)
def test_the_log_is_read_completely_and_newest_first(
    github: Sandbox, recorded_hook: Hook, prefix: str
) -> None:
    start = ago(hours=5)
    ids = [
        recorded_hook.record(event="issues", action="opened", at=start + timedelta(seconds=n))
        for n in range(250)
    ]
    log = a_delivery_log(github, recorded_hook, a_client(github.url + prefix))

    pages = list(log.pages())

    deliveries = [delivery for page in pages for delivery in page.rows]
    assert [page.is_last for page in pages] == [False, False, True]
    assert [delivery.id for delivery in deliveries] == ids[::-1]
    assert min(ids) > 2**53
    assert (deliveries[0].event, deliveries[0].action) == ("issues", "opened")
    assert deliveries[0].delivered_at.utcoffset() == timedelta(0)
    assert [request.query["per_page"] for request in github.requests] == ["100"] * 3


def test_an_empty_log_has_no_deliveries(log: DeliveryLog) -> None:
    assert list(rows_of(log)) == []


def test_a_page_is_requested_only_when_it_is_needed(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog
) -> None:
    for _ in range(250):
        recorded_hook.record()

    assert len(list(islice(rows_of(log), 100))) == 100
    assert len(github.requests) == 1


@pytest.mark.parametrize(
    ("planning", "pages", "purpose"),
    [(True, 6, "redelivering what was found"), (False, 11, "saving the checkpoint")],
)
def test_reading_leaves_requests_for_what_comes_later(
    github: Sandbox,
    recorded_hook: Hook,
    log: DeliveryLog,
    pages: int,
    purpose: str,
    *,
    planning: bool,
) -> None:
    """After the first page, 15 requests remain. For the plan 10 of them are kept, later 5."""
    recorded_hook.record_many(1500, since=ago(hours=9), until=ago(hours=1))
    github.rate_limit(remaining=16, reset_in=600)

    with pytest.raises(RateLimitError, match=f"are kept for {purpose}, until"):
        list(log.pages(planning=planning))

    assert len(github.requests) == pages


def test_a_redelivery_reaches_the_receiver_with_the_same_guid(
    github: Sandbox, receiver: Receiver, hook: Hook
) -> None:
    receiver.behave(status=500)
    guid = hook.emit("push")
    receiver.behave(status=200)
    log = a_delivery_log(github, hook)

    log.redeliver(next(rows_of(log)))
    github.settle()

    assert [(r.guid, r.status, r.signature_valid) for r in receiver.received()] == [
        (guid, 500, True),
        (guid, 200, True),
    ]
    newest, original = rows_of(log)
    assert (newest.succeeded, newest.redelivery) == (True, True)
    assert (original.succeeded, original.redelivery) == (False, False)


def test_a_delivery_that_has_left_the_log_is_refused(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    another_hook = github.org("acme").hook("http://127.0.0.1:9/hook")

    with pytest.raises(RefusalError, match=r"^GitHub responded 404, Not Found$"):
        a_delivery_log(github, another_hook).redeliver(delivery)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_client_error_is_a_refusal_of_one_delivery(
    github: Sandbox, recorded_hook: Hook, log: DeliveryLog, status: int
) -> None:
    recorded_hook.record(status="timed out", status_code=504)
    delivery = next(rows_of(log))
    github.inject(Status(status, "Nope"), method="POST", path=".*/attempts")

    with pytest.raises(RefusalError, match=f"^GitHub responded {status}, Nope$") as refusal:
        log.redeliver(delivery)

    assert bool(refusal.value.if_all) is (status == 404), "that can be a missing permission"


def a_row(**changes: object) -> dict[str, object]:
    return DOCUMENTED_ROW | {"status": "OK", "status_code": 200} | changes


def test_a_row_may_lack_an_action(github: Sandbox, log: DeliveryLog) -> None:
    row = a_row()
    del row["action"]
    github.inject(Status(200, body=[row]), path=LOG)

    assert [delivery.action for delivery in rows_of(log)] == [None]


def test_a_page_that_is_not_a_list_is_an_error(github: Sandbox, log: DeliveryLog) -> None:
    github.inject(Status(200, body={"message": "hello"}), path=LOG)

    with pytest.raises(UnavailableError, match="a page is not a list"):
        list(rows_of(log))


def test_a_row_that_cannot_be_read_is_kept_apart(github: Sandbox, log: DeliveryLog) -> None:
    times = ["2026-11-24T12:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T08:00:00Z"]
    newer, between, older = map(parse_time, times)
    first = [a_row(id=1, delivered_at=times[0]), None, a_row(id=2, delivered_at=times[1])]
    second = [a_row(id=None, delivered_at=None), a_row(id=3, delivered_at=times[2]), {}]
    link = f'<{github.url}?cursor=v1_2>; rel="next"'
    github.inject(Status(200, body=first, headers={"Link": link}), path=LOG)
    github.inject(Status(200, body=second), path=LOG, nth=2)

    pages = list(log.pages())

    assert [[row.id for row in page.rows] for page in pages] == [[1, 2], [3]]
    found = [row for page in pages for row in page.unreadable]
    assert [(row.latest, row.earliest) for row in found] == [
        (newer, between),
        (between, older),
        (older, LONG_AGO),
    ]


def respond_with_pages(
    github: Sandbox, pages: Iterable[Sequence[int]], cursors: Iterable[int] | None = None
) -> None:
    """Have GitHub respond with these pages of delivery ids in turn.

    Each links to a next page by the cursor in `cursors`. By default, all cursors are different.
    """
    for nth, ids, cursor in zip(count(1), pages, cursors or count(), strict=False):
        link = f'<{github.url}?cursor=v1_{cursor}>; rel="next"'
        page = Status(200, body=[a_row(id=id_) for id_ in ids], headers={"Link": link})
        github.inject(page, path=LOG, nth=nth)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([[1, 2], [1, 2]], id="the same page with new links"),
        pytest.param([[1], [2], [3]] * 3, id="pages in a circle"),
        pytest.param([[9], *[[1], [2], [3]] * 4], id="a circle that lacks the first page"),
    ],
)
def test_pages_that_repeat_are_an_error(
    github: Sandbox, log: DeliveryLog, pages: list[list[int]]
) -> None:
    respond_with_pages(github, pages)

    with pytest.raises(UnavailableError, match="pages repeat"):
        list(rows_of(log))


def test_a_repeated_cursor_is_an_error(github: Sandbox, log: DeliveryLog) -> None:
    respond_with_pages(github, [[number] for number in range(1, 9)], cursors=cycle([1, 2, 0]))

    with pytest.raises(UnavailableError, match="pages repeat"):
        list(rows_of(log))


def test_a_log_may_have_empty_pages_among_others(github: Sandbox, log: DeliveryLog) -> None:
    respond_with_pages(github, [[], [2], [], [4], [], [6], [], [8], [], [10], []])
    github.inject(Status(200, body=[a_row(id=12)]), path=LOG, nth=12)

    assert [delivery.id for delivery in rows_of(log)] == [2, 4, 6, 8, 10, 12]


def test_a_filtered_log_may_have_several_empty_pages(github: Sandbox, log: DeliveryLog) -> None:
    respond_with_pages(github, [[], [], []])
    github.inject(Status(200, body=[a_row(id=7)]), path=LOG, nth=4)

    deliveries = rows_of(log, StatusFilter.FAILURES)

    assert [delivery.id for delivery in deliveries] == [7]
    assert {request.query["status"] for request in github.requests} == {"failure"}


def test_a_log_without_an_end_is_an_error(
    github: Sandbox, log: DeliveryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "MAX_PAGES", 3)
    respond_with_pages(github, [[1], [2], [3], [4]])

    with pytest.raises(UnavailableError, match="pages do not end"):
        list(rows_of(log))


def test_the_token_is_not_sent_to_the_host_of_a_next_link(
    github: Sandbox, log: DeliveryLog
) -> None:
    link = '<http://evil.example/deliveries?cursor=v1_x>; rel="next"'
    github.inject(Status(200, body=[a_row()], headers={"Link": link}), path=LOG)

    with pytest.raises(UnavailableError, match="cannot read the deliveries"):
        list(rows_of(log))

    assert [request.query.get("cursor") for request in github.requests] == [None, "v1_x"]


@pytest.mark.parametrize(
    ("link", "error"),
    [
        pytest.param('<{}?page=2>; rel="next"', "has no cursor", id="no cursor"),
        pytest.param('<http://[{}>; rel="next"', "has no cursor", id="no URL"),
        pytest.param('<{}?cursor=c>; rel="next"', "pages repeat", id="always the same cursor"),
    ],
)
def test_a_next_link_that_leads_nowhere_is_an_error(
    github: Sandbox, log: DeliveryLog, link: str, error: str
) -> None:
    headers = {"Link": link.format(github.url)}
    github.inject(Status(200, body=[a_row()], headers=headers), path=LOG, times=None)

    with pytest.raises(UnavailableError, match=error):
        list(rows_of(log))


def test_only_the_next_link_is_followed(github: Sandbox, log: DeliveryLog) -> None:
    headers = {"Link": '<https://github.example/?cursor=v1_x>; rel="prev"'}
    github.inject(Status(200, body=[a_row()], headers=headers), path=LOG)

    assert len(list(rows_of(log))) == 1
