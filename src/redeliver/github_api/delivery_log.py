"""One webhook's delivery log: read its pages, and request redeliveries."""

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from requests.utils import parse_header_links

from redeliver.core.delivery import Delivery, StatusFilter, Webhook
from redeliver.core.pages import Page
from redeliver.errors import AccessError, RefusalError, UnavailableError
from redeliver.github_api.client import Client
from redeliver.github_api.log_rows import read_page
from redeliver.github_api.numbered_list import PER_PAGE
from redeliver.github_api.permissions import Permission
from redeliver.github_api.reserve import FOR_CHECKPOINT, FOR_REDELIVERIES

MAX_PAGES = 100_000
"""Ten million deliveries; a log with more pages is taken for an endless one."""


REFUSALS = frozenset(range(400, 500)) - {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
"""The statuses with which GitHub refuses one redelivery. A 403 can also be a rate limit, which the
client recognises, or a missing permission, like a 404."""


class DeliveryLog:
    """The log of a webhook at `path`, such as `/orgs/acme/hooks/1`.

    The logs of organizations', repositories' and Apps' webhooks differ only in path and
    permission.
    """

    def __init__(self, client: Client, path: str, webhook: Webhook, permission: Permission) -> None:
        self.webhook = webhook
        self._client = client
        self._path = f"{path}/deliveries"
        self._permission = permission

    def pages(
        self, status: StatusFilter = StatusFilter.ALL, *, planning: bool = False
    ) -> Iterator[Page]:
        """Yield the pages of rows that pass a filter, newest first; request one only when needed.

        https://docs.github.com/en/rest/orgs/webhooks#list-deliveries-for-an-organization-webhook
        """
        parameters: dict[str, str | int] = {"per_page": PER_PAGE}
        if status is not StatusFilter.ALL:
            parameters["status"] = status.value
        met_cursor, met_rows, newer = "", list[object](), None
        for number in range(MAX_PAGES):
            response = self._client.request(
                "GET",
                self._path,
                self._permission.to(f"read the deliveries of {self.webhook.name}"),
                expect={HTTPStatus.OK},
                parameters=parameters,
                keep=FOR_REDELIVERIES if planning else FOR_CHECKPOINT,
            )
            rows = response.json()
            if not isinstance(rows, list):
                raise _undocumented("a page is not a list")
            cursor = _next_cursor(response.headers.get("link", ""))
            page = read_page(rows, is_last=cursor is None, newer=newer)
            yield page
            if cursor is None:
                return
            newer = page.rows[-1].delivered_at if page.rows else newer
            if cursor == met_cursor or (page.rows and rows == met_rows):
                raise _undocumented("its pages repeat")
            # Brent's algorithm finds a cycle by remembering pages 0, 1, 2, 4, 8 and so on.
            if number.bit_count() <= 1:
                met_cursor, met_rows = cursor, rows
            parameters["cursor"] = cursor
        raise _undocumented("its pages do not end")

    def redeliver(self, delivery: Delivery) -> None:
        """Request one more attempt, or raise `RefusalError`.

        GitHub only accepts the request here; its outcome appears in the log later.
        https://docs.github.com/en/rest/orgs/webhooks#redeliver-a-delivery-for-an-organization-webhook
        """
        response = self._client.request(
            "POST",
            f"{self._path}/{delivery.id}/attempts",
            self._permission.to(f"redeliver to {self.webhook.name}"),
            expect={HTTPStatus.ACCEPTED, *REFUSALS},
            once=True,
            keep=FOR_CHECKPOINT,
        )
        if response.status != HTTPStatus.ACCEPTED:
            error = self._client.error(response)
            # GitHub always sends a message.
            is_general = isinstance(error, AccessError) or not response.message
            raise RefusalError(response.summary, if_all=error if is_general else None)
        if response.text and not isinstance(response.json(), dict):
            raise response.not_github()


def _next_cursor(link: str) -> str | None:
    """Return the cursor of the next page, None if there is none.

    Only the cursor of the link is used, and not its URL, because the token must not be sent to
    another host.
    """
    for target in parse_header_links(link):
        if target.get("rel") == "next":
            try:
                return parse_qs(urlsplit(target["url"]).query)["cursor"][0]
            except (ValueError, KeyError):
                raise _undocumented("the link to the next page has no cursor") from None
    return None


def _undocumented(what: str) -> UnavailableError:
    return UnavailableError(
        f"GitHub's delivery log does not have the documented format: {what}. "
        "No events are lost. Check that 'hostname' is right, and that 'org' or 'repo' "
        "is the current name. If they are right, please report this as a bug in redeliver"
    )
