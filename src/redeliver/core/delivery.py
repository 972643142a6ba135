"""One row of a webhook's delivery log, in GitHub's words.

Pure. https://docs.github.com/en/rest/orgs/webhooks#list-deliveries-for-an-organization-webhook
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import NewType

DeliveryId = NewType("DeliveryId", int)
"""Larger than 2^53 today: exact as an integer, rounded as a float."""

Guid = NewType("Guid", str)


class StatusFilter(Enum):
    """Which rows of a log GitHub lists, by the value of its parameter `status`.

    It goes by the status code alone, and not as we do: a code of 0 is in neither part, and one
    from 300 to 399, which is a failure, is among the successes.
    """

    ALL = ""
    FAILURES = "failure"
    """400 to 599."""
    SUCCESSES = "success"
    """200 to 399."""


SUCCESS_CODES = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
FAILURE_CODES = range(HTTPStatus.BAD_REQUEST, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try at handing one event to a hook's receiver.

    All tries at the same event share its `guid`; each has an `id` of its own.
    """

    id: DeliveryId
    guid: Guid
    delivered_at: datetime
    redelivery: bool
    status: str
    status_code: int
    event: str
    action: str | None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took the event.

        GitHub documents `OK`, yet the code decides as well: its own status text
        for a redirect is `Invalid HTTP Response: 302`, a failure, while its
        `status=success` filter counts 200 to 399.
        """
        return self.status == "OK" or self.status_code in SUCCESS_CODES
