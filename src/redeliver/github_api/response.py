"""What GitHub answered, and the advice to give when that was no.

Pure.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

from redeliver.errors import AccessError, RateLimitError, RedeliverError, UnavailableError
from redeliver.sanitize import quote_untrusted

T = TypeVar("T")

TOKENS = "Settings > Developer settings > Personal access tokens"
"""Where GitHub's pages have a user's tokens."""

DEFAULT_WAIT_SECONDS = 60
"""How long to wait when GitHub does not say. Its documentation asks for a minute at least:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
"""

YEARS = range(2000, 2200)
"""When an answer of GitHub can be from."""

REFUSALS = range(HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)
"""The statuses that GitHub never gives without a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What it takes to be allowed something."""

    inputs_named: str
    """The inputs that name what it is about."""
    permission: str = ""
    """That of a fine-grained token or an App, in the words of GitHub's pages; empty: none."""
    classic: str = ""
    """The scope of a classic token; given with the permission."""
    maker: str = ""
    """Who has to have made a fine-grained token, if that matters."""

    def to(self, to: str) -> "Purpose":
        """Say what the rights are needed for."""
        return Purpose(to=to, permission=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a request is for, and what it takes to be allowed it."""

    to: str
    """Completes "cannot …"."""
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks GitHub, as a message names it."""

    name: str
    """Such as "the token in input 'token'"."""
    is_app: bool = False
    """Whether it is a GitHub App, or its installation."""


def token_identity(token_input: str) -> Identity:
    """Name a token by the input it came from."""
    return Identity(name=f"the token in input '{token_input}'")


APP_IDENTITY = Identity(name="the GitHub App in input 'app-id'", is_app=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What GitHub answered: header names in lower case, the body as it came."""

    purpose: Purpose
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:  # noqa: ANN401 - whatever GitHub sent
        """Decode the body, or raise `UnavailableError`."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise self.not_github() from None

    def field(self, name: str, kind: type[T]) -> T:
        """Return a field of the body, or raise `UnavailableError` if there is no such thing."""
        body = self.json()
        found = body.get(name) if isinstance(body, dict) else None
        if type(found) is not kind:
            raise self.not_github()
        return found

    @property
    def date(self) -> datetime:
        """When GitHub answered, by its own clock, or raise `UnavailableError`."""
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
            # RFC 9110: what names no zone is in UTC.
            return _plausible(date.replace(tzinfo=date.tzinfo or UTC))
        except (ValueError, OverflowError):
            raise UnavailableError(
                f"cannot {self.purpose.to}: the answer has no 'Date' header that tells the time, "
                "and a runner's own clock may be wrong. Does a proxy take that header away?"
            ) from None

    @property
    def is_rate_limit(self) -> bool:
        """Tell a rate limit from a missing right, which GitHub may both answer with 403.

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
        """Tell whether GitHub does not know, or knows no more, the version that is asked for.

        https://docs.github.com/en/rest/about-the-rest-api/api-versions
        """
        is_bad = self.status == HTTPStatus.BAD_REQUEST
        return is_bad and "x-github-api-version" in self.message.lower()

    @property
    def remaining(self) -> int | None:
        """How many requests are left of the primary rate limit; None if there is none."""
        return self._number("x-ratelimit-remaining")

    @property
    def seconds_until_reset(self) -> int:
        """How many seconds it is until the primary rate limit starts anew."""
        reset = self._number("x-ratelimit-reset")
        if reset is None:
            return DEFAULT_WAIT_SECONDS
        return max(reset - int(self.date.timestamp()), 0) + 1  # its clock counts whole seconds

    @property
    def retry_in(self) -> int:
        """How many seconds there is to wait before anything else is asked."""
        retry_after = self._number("retry-after")
        if retry_after is not None:
            return max(retry_after, 1)
        return self.seconds_until_reset if self.remaining == 0 else DEFAULT_WAIT_SECONDS

    def _number(self, header: str) -> int | None:
        text = self.headers.get(header, "")
        return int(text) if re.fullmatch("[0-9]{1,10}", text) else None

    @property
    def message(self) -> str:
        """GitHub's own words, quoted; empty if there are none."""
        try:
            body = json.loads(self.text)
            words = str(body["message"])
        except (ValueError, RecursionError, LookupError, TypeError):
            return ""
        # Mostly a list of what is wrong with which field, but for some the sentence that matters.
        more = body.get("errors")
        return quote_untrusted(f"{words}: {more}" if isinstance(more, str) else words, 300).rstrip(
            "."
        )

    @property
    def summary(self) -> str:
        """The answer as a phrase."""
        return f"GitHub answered {self.status}, {self.message or 'without saying why'}"

    def not_github(self) -> UnavailableError:
        """Return the error for an answer that no GitHub gives."""
        return UnavailableError(
            f"cannot {self.purpose.to}: what answered ({self.status}) is not GitHub's API. Is "
            "'hostname' its address, which ends in /api/v3 on Enterprise Server, and does a proxy "
            "or a login page stand in between?"
        )


def instant(text: str) -> datetime:
    """Read a time as GitHub writes it, with milliseconds and without, or raise `ValueError`."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("without a time zone")
    return _plausible(read)


def _plausible(instant: datetime) -> datetime:
    """Return `instant` in UTC, or raise `ValueError` when reckoning with it might overflow."""
    if instant.year not in YEARS:
        raise ValueError("of another age")
    return instant.astimezone(UTC)


def error_for(response: Response, identity: Identity) -> RedeliverError:
    """Return the error for an answer that was not hoped for; its message is advice."""
    problem = f"cannot {response.purpose.to}: {response.summary}"
    if response.is_rate_limit:
        return rate_limit_error(response, identity, response.retry_in)
    if response.status in REFUSALS and not response.message:
        return response.not_github()
    if response.is_unsupported_version:
        return UnavailableError(
            f"{problem}. Use a newer version of redeliver, which asks for one that this GitHub "
            "knows: nothing is lost while its log is kept, 3 days or on Enterprise Server 7"
        )
    lacking = _app_advice(response) if identity.is_app else _token_advice(response, identity.name)
    if lacking:
        return AccessError(f"{problem}. {lacking}")
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        return UnavailableError(
            f"{problem}, a redirect, which is not followed because the token must go nowhere "
            f"else. Was something renamed? Check {response.purpose.permission.inputs_named}"
        )
    return UnavailableError(f"{problem}. Nothing is lost: the next run sees to it")


def rate_limit_error(response: Response, identity: Identity, seconds: int) -> RateLimitError:
    """Return the error for a rate limit that lasts for `seconds` after `response`."""
    until = response.date + timedelta(seconds=seconds)
    often = (
        "GitHub counts all that an App's installation asks together"
        if identity.is_app
        else "GitHub counts all tokens of a user together"
    )
    return RateLimitError(
        f"cannot {response.purpose.to}: the rate limit of {identity.name} is used up until "
        f"{until:%H:%M:%S} UTC. Nothing is lost: the next run finds what this one left. "
        f"{often}, so if this happens often, use one that does little else"
    )


def _app_advice(response: Response) -> str | None:
    """Say what an App falls short of and where to mend that; None if that is not it."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                "It does not know the App: 'app-id' and 'private-key' do not belong together, the "
                "key was revoked, the App belongs to another GitHub than 'hostname' says, or the "
                "runner's clock is minutes off. The App's settings page shows its id and makes keys"
            )
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNPROCESSABLE_ENTITY:
            doubt = "Most likely"
        case HTTPStatus.NOT_FOUND:
            doubt = f"Check {permission.inputs_named} for a mistake; if there is none,"
        case _:
            return None
    if not permission.permission:
        return _check_names(response)
    return (
        f"{doubt} the GitHub App is not installed there, its installation is suspended, or it lacks"
        f" a permission: it needs {permission.permission}. Grant it in the App's settings under "
        "Permissions & events, and have an owner accept that where the App is installed"
        f"{_github_says(response.headers)}"
    )


def _token_advice(response: Response, token: str) -> str | None:
    """Say what `token` falls short of and where to mend that; None if that is not it."""
    permission = response.purpose.permission
    match response.status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"It does not know {token}, which is mistyped, expired or revoked, or belongs to "
                "another GitHub than 'hostname' says. Make a new one and save it in the secret "
                "that the input reads"
            )
        case HTTPStatus.FORBIDDEN if "x-github-sso" in response.headers:
            return (
                "The organization uses SAML single sign-on: whoever made "
                f"{token} has to authorize it under {TOKENS} > Configure SSO"
            )
        case HTTPStatus.FORBIDDEN:
            doubt = "Most likely "
        case HTTPStatus.NOT_FOUND:
            # GitHub says so of whatever a token may not see, too.
            doubt = f"Check {permission.inputs_named} for a mistake; if there is none, "
        case _:
            return None
    if not permission.permission:
        return _check_names(response)
    return (
        f"{doubt}{token} lacks a permission: a fine-grained token needs {permission.permission}"
        f"{permission.maker}, "
        f"a classic token the scope {permission.classic}. Whoever made the token can "
        f"grant that under {TOKENS}. "
        f"The workflow's own GITHUB_TOKEN can never have it{_github_says(response.headers)}"
    )


def _check_names(response: Response) -> str:
    """Say what else can be wrong where no permission is missing."""
    inputs = response.purpose.permission.inputs_named
    said = _github_says(response.headers)
    return f"That takes no permission: check {inputs} for a mistake{said}"


def _github_says(headers: Mapping[str, str]) -> str:
    """Say in GitHub's words what was needed and, for a classic token, what it has."""
    says = {
        "needed permission": headers.get("x-accepted-github-permissions", ""),
        "needed scope": headers.get("x-accepted-oauth-scopes", ""),
        "scopes the token has": headers.get("x-oauth-scopes", ""),
    }
    told = "; ".join(f"{name} {_permissions(text)}" for name, text in says.items() if text)
    return f". GitHub says: {told}" if told else ""


def _permissions(text: str) -> str:
    """Quote permissions, without the equals sign that might make one a part of a URL."""
    return quote_untrusted(re.sub("=(read|write|admin)", r" \1", text))
