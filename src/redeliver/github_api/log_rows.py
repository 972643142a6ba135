"""The rows of one page of a delivery log, as GitHub's API lists them.

https://docs.github.com/en/rest/orgs/webhooks#list-deliveries-for-an-organization-webhook
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from types import NoneType
from typing import Any

from redeliver.core.delivery import (
    MAX_DURATION,
    SUCCESS_CODES,
    Delivery,
    DeliveryId,
    Guid,
    RepositoryId,
)
from redeliver.core.pages import Page
from redeliver.core.unreadable import LONG_AGO, UnreadableRow
from redeliver.github_api.response import parse_time
from redeliver.sanitize import quote_untrusted

FIELDS: Mapping[str, set[type]] = {
    "id": {int},
    "guid": {str},
    "delivered_at": {str},
    "redelivery": {bool},
    "status": {str},
    "status_code": {int},
    "event": {str},
    "action": {str, NoneType},
}
"""The fields that a row needs to be read, and their types in JSON."""

NUMBERS = (int, float)


def read_page(rows: Iterable[object], *, is_last: bool, newer: datetime | None) -> Page:
    """Read the rows of a page, newest first.

    `newer` is the time of the row before them, if there is one. Together with the row after it, it
    tells the time of a row whose own cannot be read.
    """
    deliveries: list[Delivery] = []
    unreadable: list[tuple[int, object, str]] = []
    for row in rows:
        try:
            deliveries.append(_delivery(row))
        except ValueError as problem:
            unreadable.append((len(deliveries), row, str(problem)))
    times = [delivery.delivered_at for delivery in deliveries]
    bounds = list(zip([newer, *times], [*times, LONG_AGO], strict=True))
    known = [newer, *times] if newer else times
    if unreadable and known != sorted(known, reverse=True):
        # GitHub has written some rows late, so the rows around a row do not tell its time.
        bounds = [(None, min(times))] * len(bounds)
    return Page(
        rows=deliveries,
        is_last=is_last,
        unreadable=[
            _unreadable(row, problem, latest=bounds[place][0], earliest=bounds[place][1])
            for place, row, problem in unreadable
        ],
    )


def _delivery(row: object) -> Delivery:
    """Read a row, or raise `ValueError` with what is wrong with it."""
    if not isinstance(row, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - one error for every problem
    for field, types in FIELDS.items():
        if type(row.get(field)) not in types:
            raise ValueError(f"'{field}' is missing or has the wrong type")
    try:
        delivered_at = parse_time(row["delivered_at"])
    except ValueError:
        raise ValueError("'delivered_at' is not a time with a time zone") from None
    repository = row.get("repository_id")
    return Delivery(
        id=DeliveryId(row["id"]),
        guid=Guid(row["guid"]),
        delivered_at=delivered_at,
        redelivery=row["redelivery"],
        status=row["status"],
        status_code=row["status_code"],
        event=row["event"],
        action=row.get("action"),
        repository_id=RepositoryId(repository) if type(repository) is int else None,
        duration=_duration(row.get("duration")),
        throttled=row.get("throttled_at") is not None,
    )


def _duration(seconds: object) -> float | None:
    """Read a duration; None if there is none, or if it is not plausible, such as NaN."""
    return seconds if isinstance(seconds, NUMBERS) and 0 <= seconds <= MAX_DURATION else None


def _unreadable(
    row: object, problem: str, *, earliest: datetime, latest: datetime | None
) -> UnreadableRow:
    """Read what can be read of a row."""
    fields: Mapping[str, Any] = row if isinstance(row, dict) else {}
    number, guid, code = (fields.get(name) for name in ("id", "guid", "status_code"))
    with suppress(KeyError, TypeError, ValueError):  # its place in the log has to tell its time
        earliest = latest = parse_time(fields["delivered_at"])
    return UnreadableRow(
        problem=problem,
        id=quote_untrusted(str(number)) if type(number) in {int, str} else "",
        guid=Guid(guid) if isinstance(guid, str) else None,
        succeeded=fields.get("status") == "OK" or (type(code) is int and code in SUCCESS_CODES),
        may_be_original=fields.get("redelivery") is not True,
        earliest=earliest,
        latest=latest,
    )
