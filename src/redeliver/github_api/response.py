"""GitHub's response to one request, and what its status, headers and body mean."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

from redeliver.errors import UnavailableError
from redeliver.github_api.permissions import Purpose
from redeliver.sanitize import quote_untrusted

T = TypeVar("T")

DEFAULT_WAIT_SECONDS = 60
"""How long to wait when GitHub does not say. Its documentation asks for at least a minute:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
"""

YEARS = range(2000, 2200)
"""The years that are plausible in a time from GitHub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response; its header names are in lower case."""

    purpose: Purpose
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:  # noqa: ANN401 - whatever GitHub sent
        """Decode the body, or raise `UnavailableError` if it is not JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise self.not_github() from None

    def field(self, name: str, kind: type[T]) -> T:
        """Return a field of the body; raise `UnavailableError` if it is missing or not a `kind`."""
        body = self.json()
        found = body.get(name) if isinstance(body, dict) else None
        if type(found) is not kind:
            raise self.not_github()
        return found

    @property
    def date(self) -> datetime:
        """The `Date` header; raises `UnavailableError` if there is no valid one."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
            # RFC 9110: a date without a time zone is in UTC.
            return plausible(date.replace(tzinfo=date.tzinfo or UTC))
        except (ValueError, OverflowError):
            raise UnavailableError(
                f"cannot {self.purpose.action}: the response has no valid 'Date' header, which is "
                "needed because the clock of this machine may be wrong. Is a proxy removing it?"
            ) from None

    @property
    def is_rate_limit(self) -> bool:
        """Whether this is a rate limit; a 403 can also be a missing permission.

        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        return self.status == HTTPStatus.FORBIDDEN and (
            self.remaining == 0
            or "retry-after" in self.headers
            or "rate limit" in self.message.lower()
            or "abuse detection" in self.message.lower()  # as older Enterprise Servers call it
        )

    @property
    def is_unsupported_version(self) -> bool:
        """Whether GitHub does not support the requested API version.

        https://docs.github.com/en/rest/about-the-rest-api/api-versions
        """
        is_bad = self.status == HTTPStatus.BAD_REQUEST
        return is_bad and "x-github-api-version" in self.message.lower()

    @property
    def remaining(self) -> int | None:
        """How many requests are left of the primary rate limit; None if there is no limit."""
        return self._number("x-ratelimit-remaining")

    @property
    def seconds_until_reset(self) -> int:
        """Seconds until the primary rate limit resets."""
        reset = self._number("x-ratelimit-reset")
        if reset is None:
            return DEFAULT_WAIT_SECONDS
        return max(reset - int(self.date.timestamp()), 0) + 1  # both times are rounded to seconds

    @property
    def retry_in(self) -> int:
        """Seconds to wait before the next request of any kind."""
        retry_after = self._number("retry-after")
        if retry_after is not None:
            return max(retry_after, 1)
        return self.seconds_until_reset if self.remaining == 0 else DEFAULT_WAIT_SECONDS

    def _number(self, header: str) -> int | None:
        text = self.headers.get(header, "")
        return int(text) if re.fullmatch("[0-9]{1,10}", text) else None

    @property
    def message(self) -> str:
        """GitHub's message, quoted; empty if there is none."""
        try:
            body = json.loads(self.text)
            words = str(body["message"])
        except (ValueError, RecursionError, LookupError, TypeError):
            return ""
        # Usually a list of invalid fields, but for some errors it is a sentence with the reason.
        more = body.get("errors")
        message = f"{words}: {more}" if isinstance(more, str) else words
        return quote_untrusted(message, 300).rstrip(".")

    @property
    def summary(self) -> str:
        """Status and message as a phrase."""
        return f"GitHub responded {self.status}, {self.message or 'without a message'}"

    def not_github(self) -> UnavailableError:
        """Return the error for a response that did not come from GitHub's API."""
        return UnavailableError(
            f"cannot {self.purpose.action}: the response ({self.status}) did not come from "
            "GitHub's API. Check 'hostname' (on Enterprise Server the API ends in /api/v3) and "
            "whether a proxy or a login page intercepts requests"
        )


def redirect_advice(purpose: Purpose) -> str:
    """Return what to do about a redirect of a request for `purpose`, as sentences."""
    return (
        "redeliver does not follow redirects, because the token must not be sent anywhere else. "
        f"Something may have been renamed or moved: check {purpose.permission.inputs}"
    )


def parse_time(text: str) -> datetime:
    """Read a time as GitHub writes it, with or without milliseconds, or raise `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("without a time zone")
    return plausible(instant)


def plausible(instant: datetime) -> datetime:
    """Return `instant` in UTC; raise `ValueError` if arithmetic with its year could overflow."""
    if instant.year not in YEARS:
        raise ValueError("of another age")
    return instant.astimezone(UTC)
