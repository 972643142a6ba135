"""An organization's webhook: its delivery log, and asking for one more attempt."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from types import NoneType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links

from redeliver.answer import Purpose, instant
from redeliver.api import Api
from redeliver.delivery import Delivery, DeliveryId, Guid, HookId
from redeliver.errors import RefusalError, UnavailableError

PER_PAGE = 100
"""The most that GitHub puts on a page."""

MOST_PAGES = 100_000
"""Ten million deliveries in the days that GitHub keeps them, or a log without an end."""


class OrganizationHook:
    """https://docs.github.com/en/rest/orgs/webhooks."""

    def __init__(self, api: Api, org: str, hook_id: HookId) -> None:
        self.name = f"webhook {hook_id} of organization {org}"
        self._api = api
        self._deliveries = f"/orgs/{org}/hooks/{hook_id}/deliveries"

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the log, newest first; a page is only asked for when it is needed."""
        parameters: dict[str, str | int] = {"per_page": PER_PAGE}
        cursors = set[str]()
        page: list[Delivery] | None = None
        for _ in range(MOST_PAGES):
            answer = self._api.ask(
                "GET",
                self._deliveries,
                self._purpose("read the deliveries of"),
                expect={HTTPStatus.OK},
                parameters=parameters,
            )
            rows = answer.json()
            if not isinstance(rows, list):
                raise _undocumented("a page that is no list")
            last, page = page, [_delivery(row) for row in rows]
            yield from page
            cursor = _next_cursor(answer.headers.get("link", ""))
            if cursor is None:
                return
            if cursor in cursors or page == last:
                raise _undocumented("pages that lead nowhere")
            cursors.add(cursor)
            parameters["cursor"] = cursor
        raise _undocumented("pages without an end")

    def redeliver(self, delivery: Delivery) -> None:
        """Ask for one more attempt, or raise `RefusalError`.

        GitHub only accepts the request here; what became of it shows in the log later.
        """
        answer = self._api.ask(
            "POST",
            f"{self._deliveries}/{delivery.id}/attempts",
            self._purpose("redeliver to"),
            expect={
                HTTPStatus.ACCEPTED,
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.NOT_FOUND,
                HTTPStatus.UNPROCESSABLE_ENTITY,
            },
            once=True,
        )
        if answer.status != HTTPStatus.ACCEPTED:
            raise RefusalError(answer.said)
        if answer.text and not isinstance(answer.json(), dict):
            raise answer.foreign()

    def _purpose(self, to: str) -> Purpose:
        return Purpose(
            to=f"{to} {self.name}",
            named_by="'org' and 'hook-id'",
            # To read, 'read' would do; but a run that finds something has to redeliver it.
            fine_grained="the organization permission 'Webhooks' (read and write) and an owner "
            "of the organization as its maker",
            classic="admin:org_hook",
        )


def _next_cursor(link: str) -> str | None:
    """Return the cursor of the next page.

    Only the cursor is taken from the link, never the address: the token goes nowhere
    but to the host it was given for.
    """
    for target in parse_header_links(link):
        if target.get("rel") == "next":
            try:
                return parse_qs(urlsplit(target["url"]).query)["cursor"][0]
            except (ValueError, KeyError):
                raise _undocumented("a link to the next page without a cursor") from None
    return None


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


def _delivery(row: Any) -> Delivery:  # noqa: ANN401 - whatever GitHub sent
    if not isinstance(row, dict):
        raise _undocumented("a row that is no object")
    for field, types in FIELDS.items():
        if type(row.get(field)) not in types:
            raise _undocumented(f"a row whose '{field}' is missing or of another type")
    return Delivery(
        id=DeliveryId(row["id"]),
        guid=Guid(row["guid"]),
        delivered_at=_instant(row["delivered_at"]),
        redelivery=row["redelivery"],
        status=row["status"],
        status_code=row["status_code"],
        event=row["event"],
        action=row.get("action"),
    )


def _instant(text: str) -> datetime:
    try:
        return instant(text)
    except ValueError:
        raise _undocumented("a 'delivered_at' that is no time with a time zone") from None


def _undocumented(what: str) -> UnavailableError:
    return UnavailableError(
        f"GitHub's delivery log came as its documentation does not describe it: {what}. "
        "Nothing is lost. Check that 'hostname' is right and 'org' "
        "is its present name; if so, please report this as a bug"
    )
