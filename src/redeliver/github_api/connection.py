"""PyGithub's client on one HTTP connection: send a request exactly once.

PyGithub's own retries are off, because they repeat a POST and could redeliver an event twice.
`client` decides about retries.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass
from requests import Response as RequestsResponse
from urllib3.exceptions import ProxySchemeUnknown
from urllib3.util import Retry

import redeliver
from redeliver.github_api.network_errors import NoResponseError, bundle_variable, explain
from redeliver.github_api.permissions import Purpose
from redeliver.github_api.response import Response
from redeliver.github_api.tls import TlsAdapter
from redeliver.sanitize import MIN_SECRET_LENGTH

API_VERSION = "2022-11-28"
"""The API version that every request names, so that a new default version changes nothing.

github.com and Enterprise Server since 3.9 know this one. Enterprise Server knows a newer one since
3.21. GitHub supports it until March 2028 at least, and responds with 400 to a version that
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


NO_RETRY = Retry(total=0, respect_retry_after_header=False)


class Connection:
    """PyGithub's client, for one thread at a time: it is not thread-safe."""

    def __init__(self, url: str) -> None:
        """Raise `NoResponseError` if the file of authorities cannot be read."""
        parts = urlsplit(url)
        self._url = url
        self._bearer = _Bearer()
        self._requester = Github(
            auth=self._bearer,
            base_url=url,
            # `throttle` alone decides how fast requests go.
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent=f"redeliver/{redeliver.__version__}",
        ).requester
        kind = (
            HTTPSRequestsConnectionClass if parts.scheme == "https" else HTTPRequestsConnectionClass
        )
        self._connection = kind(
            str(parts.hostname), parts.port, timeout=SOCKET_SECONDS, retry=NO_RETRY
        )
        session = self._connection.session
        session.hooks["response"] += [_prevent_repeats, _read_as_utf8]
        if parts.scheme == "https":
            bundle = os.environ.get(bundle_variable())
            session.mount("https://", TlsAdapter(bundle, retry=NO_RETRY))

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
                cnx=self._connection,
            )
        except (OSError, ValueError, OverflowError, ProxySchemeUnknown) as error:
            # Raised by `requests`, and by PyGithub for invalid headers.
            raise explain(error, self._url) from None
        if len(token) >= MIN_SECRET_LENGTH:
            # A server may echo the token.
            text = text.replace(token, "[token removed]")
        return Response(purpose=request.purpose, status=status, headers=headers, text=text)


def _prevent_repeats(response: RequestsResponse, **_: object) -> None:
    """Keep PyGithub from repeating a request: it would do so without end after these responses."""
    if response.status_code == HTTPStatus.MOVED_PERMANENTLY:
        response.headers.pop("location", None)  # PyGithub follows only a 301 that has one
    if response.status_code == HTTPStatus.ACCEPTED and response.request.method == "GET":
        raise NoResponseError(
            "GitHub responded 202, which means that the result is not ready yet",
            is_transient=False,
            has_responded=True,
        )


def _read_as_utf8(response: RequestsResponse, **_: object) -> None:
    """Ignore the encoding that the header names: GitHub's JSON is always UTF-8.

    Python 3.15 warns about a name that is not ASCII, and `requests` guesses if there is no name.
    """
    response.encoding = "utf-8"
