"""Send one request to GitHub's REST API, exactly once, with PyGithub.

PyGithub's own retries are off, because they repeat a POST and could redeliver an event twice.
`client` decides about retries.

A thread of its own sends each request. So a request has a deadline as a whole, and a signal can
end the wait for it, even if the name of the host cannot be resolved or a response never ends.
"""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github
from requests import ConnectionError as RequestsConnectionError
from requests import RequestException, Timeout
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RetryError, SSLError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ResponseError
from urllib3.util import Retry

import redeliver
from redeliver import interruption
from redeliver.github_api.permissions import Purpose
from redeliver.github_api.response import Response, redirect_advice
from redeliver.sanitize import MIN_SECRET_LENGTH

API_VERSION = "2022-11-28"
"""The API version that every request names, so that a new default version changes nothing.

Every supported GitHub knows this one: Enterprise Server has versions since 3.9, and a newer one
since 3.21. GitHub supports it until March 2028 at least, and responds with 400 to a version that
it does not know. `make contract` shows that 2026-03-10 changes nothing that is read here.
https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

DEADLINE_SECONDS = 30.0
"""How long to wait for a complete response. GitHub itself ends a request after ten seconds:
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts
"""

SOCKET_SECONDS = 15
"""How long to wait to connect to one address, and for the next bytes. A host may have two, and the
second must still be tried before the deadline if the first does not respond."""

# PyGithub and urllib3 log responses unfiltered, and the runner would obey commands in them.
logging.getLogger("github").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class NoResponseError(Exception):
    """GitHub sent no response, or none that can be read."""

    def __init__(
        self,
        reason: str,
        *,
        advice: str = "",
        is_transient: bool = True,
        may_be_done: bool = True,
        has_responded: bool = False,
    ) -> None:
        """Describe one failed request.

        `advice` is empty if another try may succeed. `may_be_done` tells whether GitHub may have
        received the request, and `has_responded` whether there was a response that cannot be used.
        """
        super().__init__(reason)
        self.advice = advice
        self.is_transient = is_transient
        self.may_be_done = may_be_done
        self.has_responded = has_responded


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the REST API, without the token."""

    method: str
    path: str
    purpose: Purpose
    parameters: Mapping[str, str | int]
    body: Mapping[str, Any] | None


class Transport:
    """The REST API at `url`, for any number of threads."""

    def __init__(self, url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        """Wait at most `deadline` seconds for a response."""
        self._url = url
        self._deadline = deadline
        self._idle = deque[_Connection]()
        """The connections that no request uses."""

    def send(self, request: Request, *, token: str) -> Response:
        """Send one request and return its response, whatever its status.

        Raise `NoResponseError` if there is none.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._url)
        result = SimpleQueue[Response | Exception]()

        def work() -> None:
            try:
                result.put(connection.send(request, token=token))
            except Exception as error:  # noqa: BLE001 - the calling thread raises it
                result.put(error)

        Thread(target=work, name="request", daemon=True).start()
        try:
            outcome = interruption.get(result, timeout=self._deadline)
        except Empty:
            # The thread still uses the connection, so nothing else may.
            raise NoResponseError(
                f"no complete response from {connection.host} within {self._deadline:g} s"
            ) from None
        self._idle.append(connection)
        try:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            del outcome  # its traceback has this frame: that cycle would keep sockets open


class _Bearer(Auth.Auth):
    """The token of the next request."""

    token_type = "Bearer"  # noqa: S105 - the scheme of the header, no secret
    token = ""


class _Connection:
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
            advice = _advice(error, request.purpose)
            raise NoResponseError(
                # Only the type of the error is named, because its text may have a URL.
                f"no usable response from {self.host} ({type(error).__name__})",
                advice=advice,
                is_transient=isinstance(error, TRANSIENT) and not advice,
                may_be_done=not _was_never_sent(error),
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


NOT_READY = ResponseError.SPECIFIC_ERROR.format(status_code=HTTPStatus.ACCEPTED.value)
"""The text of urllib3's error for a 202 that `_NoRetry` refuses."""

TRANSIENT = (RequestsConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)

RESPONDED = (RetryError, ContentDecodingError, ValueError, OverflowError, RuntimeError)
"""The errors of which the cause is mostly a response: a redirect, a 202, or invalid headers."""


def _advice(error: Exception, purpose: Purpose) -> str:
    """Return what to change if another try would not help, or "" if it may."""
    if isinstance(error, OSError) and not isinstance(error, RequestException):
        return (
            ". The file named in the environment variable REQUESTS_CA_BUNDLE cannot be read, or "
            "holds no certificates"
        )
    if isinstance(error, RetryError):
        if str(_reason(error)) == NOT_READY:
            return (
                ". GitHub responded 202, which means that the result is not ready yet. "
                "No events are lost; the next run retries"
            )
        return f". GitHub responded with a redirect. {redirect_advice(purpose)}"
    if isinstance(error, SSLError) and "EOF" not in str(error):  # EOF is a broken connection
        return (
            ". Its certificate is not trusted here. If your GitHub or proxy has a certificate of "
            "your own certificate authority, set the environment variable REQUESTS_CA_BUNDLE to "
            "the path of the authority's certificate file"
        )
    return ""


def _was_never_sent(error: Exception) -> bool:
    """Whether the connection failed before the request was sent."""
    return isinstance(_reason(error), (NewConnectionError, ConnectTimeoutError))


def _reason(error: Exception) -> Exception | None:
    """Return the urllib3 error inside an error of `requests`, if there is one."""
    return getattr(error.args[0], "reason", None) if error.args else None
