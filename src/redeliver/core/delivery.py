"""GitHub's nouns: a webhook, and a delivery as one row of its log.

https://docs.github.com/en/rest/orgs/webhooks#list-deliveries-for-an-organization-webhook
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import NewType

HookId = NewType("HookId", int)

DeliveryId = NewType("DeliveryId", int)
"""Larger than 2^53 today: exact as an integer, rounded as a float."""

Guid = NewType("Guid", str)

RepositoryId = NewType("RepositoryId", int)

SUCCESS_CODES = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
FAILURE_CODES = range(HTTPStatus.BAD_REQUEST, 600)

MAX_DURATION = 60
"""Seconds. GitHub waits for a response for at most 30, so a longer duration is not plausible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as a report names it. Its URL is left out, because it can hold a secret."""

    name: str
    """Such as "webhook 1 of organization acme"."""
    id: HookId | None
    """None for the webhook of a GitHub App, which has exactly one."""
    page: str
    """The URL of its settings page, which shows its deliveries."""
    is_active: bool = True
    """False if it is known to be switched off, so that GitHub sends nothing to it."""

    def __hash__(self) -> int:
        """Hash only the URL, which is unique, to be fast: every lookup of an event hashes it."""
        return hash(self.page)


class StatusFilter(Enum):
    """Which rows of a log GitHub lists, by the value of its parameter `status`.

    GitHub filters by the status code alone: a code of 0 is neither a failure nor a success, and a
    redirect (300 to 399), which counts as a failure here, is a success.
    """

    ALL = ""
    FAILURES = "failure"
    """400 to 599."""
    SUCCESSES = "success"
    """200 to 399."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver one event to a webhook's receiver.

    All attempts at the same event share its `guid`; each has an `id` of its own.
    """

    id: DeliveryId
    guid: Guid
    delivered_at: datetime
    redelivery: bool
    status: str
    status_code: int
    event: str
    action: str | None
    repository_id: RepositoryId | None = None
    """None if the event has no repository, or GitHub does not say which one."""
    duration: float | None = None
    """How many seconds it took, at most `MAX_DURATION`; None if GitHub does not tell."""
    throttled: bool = False
    """Whether GitHub says that it has throttled it (`throttled_at`)."""

    @property
    def succeeded(self) -> bool:
        """Whether the receiver accepted the event.

        GitHub documents the status `OK`, but the code has to be checked as well: GitHub's status
        text for a redirect is `Invalid HTTP Response: 302`, a failure, while its filter
        `status=success` includes 200 to 399.
        """
        return self.status == "OK" or self.status_code in SUCCESS_CODES


def newest_first(attempts: Iterable[Delivery]) -> list[Delivery]:
    """Sort attempts, because the log may have rows in the wrong place."""
    return sorted(attempts, key=lambda row: (row.delivered_at, row.id), reverse=True)
