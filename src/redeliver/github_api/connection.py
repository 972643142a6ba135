"""PyGithub's client on one HTTP connection: send a request exactly once.

PyGithub's own retries are off, because they repeat a POST and could redeliver an event twice.
`client` decides about retries.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github
from urllib3.util import Retry

import redeliver
from redeliver.github_api.network_errors import (
    RESPONDED,
    TRANSIENT,
    NoResponseError,
    advice_for,
    was_never_sent,
)
from redeliver.github_api.permissions import Purpose
from redeliver.github_api.response import Response
from redeliver.sanitize import MIN_SECRET_LENGTH

API_VERSION = "2022-11-28"
"""The API version that every request names, so that a new default version changes nothing.

Every supported GitHub knows this one: Enterprise Server has versions since 3.9, and a newer one
since 3.21. GitHub supports it until March 2028 at least, and responds with 400 to a version that
it does not know. `make contract` shows that 2026-03-10 changes nothing that is read here.
https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

SOCKET_SECONDS = 15
"""How long to wait to connect to one address, and for the next bytes. A host may have two, and the
second must still be tried before the deadline if the first does not respond."""

# PyGithub and urllib3 log responses unfiltered, and the runner would obey commands in them.
logging.getLogger("github").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the REST API, without the token."""

    method: str
    path: str
    purpose: Purpose
    parameters: Mapping[str, str | int]
    body: Mapping[str, Any] | None


class _Bearer(Auth.Auth):
    """The token of the next request."""

    token_type = "Bearer"  # noqa: S105 - the scheme of the header, no secret
    token = ""


class Connection:
    """PyGithub's client, for one thread at a time: it is not thread-safe."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self._bearer = _Bearer()
        self._requester = Github(
            auth=self._bearer,
            base_url=url,
            timeout=SOCKET_SECONDS,
            retry=_NoRetry(total=0, respect_retry_after_header=False),
            # `throttle` alone decides how fast requests go.
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent=f"redeliver/{redeliver.__version__}",
        ).requester

    def send(self, request: Request, *, token: str) -> Response:
        """Send one request and return its response, however long that takes."""
        self._bearer.token = token
        try:
            # Not requestJsonAndCheck, which treats a redirect as a success.
            status, headers, text = self._requester.requestJson(
                request.method,
                request.path,
                dict(request.parameters),
                {"X-GitHub-Api-Version": API_VERSION},
                input=request.body,
            )
        except (OSError, ValueError, OverflowError, RuntimeError) as error:
            # Raised by `requests`, by certificate files that cannot be read, and by PyGithub for
            # invalid headers and for a redirect to another host.
            advice = advice_for(error, request.purpose)
            raise NoResponseError(
                # Only the type of the error is named, because its text may have a URL.
                f"no usable response from {self.host} ({type(error).__name__})",
                advice=advice,
                is_transient=isinstance(error, TRANSIENT) and not advice,
                may_be_done=not was_never_sent(error),
                has_responded=isinstance(error, RESPONDED),
            ) from None
        if len(token) >= MIN_SECRET_LENGTH:
            # A server may echo the token.
            text = text.replace(token, "[token removed]")
        return Response(purpose=request.purpose, status=status, headers=headers, text=text)


class _NoRetry(Retry):
    """Makes urllib3 send every request once.

    Two responses become errors here, because PyGithub would repeat the request without end: a
    301, which can lead in a circle, and a 202 to a GET.
    """

    def is_retry(self, method: str, status_code: int, *_: object) -> bool:
        """Whether a response must not reach PyGithub."""
        is_not_ready = status_code == HTTPStatus.ACCEPTED and method == "GET"
        return status_code == HTTPStatus.MOVED_PERMANENTLY or is_not_ready
