"""Ask GitHub's REST API, and never in a way that could redeliver twice.

The only importer of PyGithub.
"""

import logging
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from threading import local
from typing import Any, Protocol
from urllib.parse import urlsplit

from github import Auth, Github
from requests import ConnectionError as RequestsConnectionError
from requests import RequestException, Timeout
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RetryError, SSLError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ResponseError
from urllib3.util import Retry

import redeliver
from redeliver.errors import RedeliverError, UnavailableError
from redeliver.github_api.advice import error_for, rate_limit_error
from redeliver.github_api.clock import ServerClock
from redeliver.github_api.permissions import Identity, Purpose
from redeliver.github_api.response import Response
from redeliver.github_api.throttle import READ_POINTS, WRITE_POINTS, Throttle
from redeliver.sanitize import MIN_SECRET_LENGTH

API_VERSION = "2022-11-28"
"""The version of GitHub's API that is asked for, so that a new one changes nothing unseen.

The one that every GitHub in support knows: Enterprise Server has versions since 3.9, and a newer
one than this since 3.21. GitHub supports it until March 2028 at least, and answers 400 to one
that it does not know. What 2026-03-10 changes, as `make contract` tells, is nothing that is read.
https://docs.github.com/en/rest/about-the-rest-api/api-versions
"""

TIMEOUT_SECONDS = 30

BACKOFF_SECONDS = (0.5, 1, 2, 4)
"""How long to wait before each further try, half as much more or less: many workflows start
at the same minute and must not come back at the same second."""

RESERVE = 20
"""How many requests of the primary rate limit are kept back from redeliveries, so that the
checkpoint can still be saved when all workers have asked at the same time."""

# PyGithub and urllib3 log whatever comes in, unfiltered, and the runner would obey it.
logging.getLogger("github").setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class Credential(Protocol):
    """What a request shows GitHub so that it may be allowed."""

    @property
    def identity(self) -> Identity:
        """Whose it is, for messages."""
        ...

    def token(self) -> str:
        """Return what is sent, which may be another each time."""
        ...

    def renew(self, refused: str) -> bool:
        """Make a new token, for GitHub did not know that one; return False if there is no way."""
        ...


class _Bearer(Auth.Auth):
    """Sends with each request what the credential holds then."""

    token_type = "Bearer"  # noqa: S105 - as the header calls it
    token = ""


class _Transport(local):
    """PyGithub's client, of which each thread has one of its own.

    Neither its connection nor the token that is on its way may be shared.
    """

    def __init__(self, url: str) -> None:
        self.bearer = _Bearer()
        self.requester = Github(
            auth=self.bearer,
            base_url=url,
            timeout=TIMEOUT_SECONDS,
            retry=_Once(total=0, respect_retry_after_header=False),
            # How fast to ask is decided in one place, pace.py.
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent=f"redeliver/{redeliver.__version__}",
        ).requester


class _Once(Retry):
    """Has urllib3 send everything once: what is asked again, `Client` decides, and says so.

    Two answers are errors, because PyGithub would go after them without end: a 301, also one
    that leads in a circle, and the 202 of a GET, for which it sleeps.
    """

    def is_retry(self, method: str, status_code: int, *_: object) -> bool:
        """Tell whether PyGithub must not see an answer."""
        is_pending = status_code == HTTPStatus.ACCEPTED and method == "GET"
        return status_code == HTTPStatus.MOVED_PERMANENTLY or is_pending


class Client:
    """GitHub's REST API at `url`, as `credential` may use it, for any number of threads.

    `clock` is set by every answer, and `throttle` tells when the next request may go.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        url: str,
        clock: ServerClock,
        throttle: Throttle,
    ) -> None:
        self._credential = credential
        self._transport = _Transport(url)
        self._host = urlsplit(url).netloc
        self._clock = clock
        self._throttle = throttle
        self._latest: Response | None = None

    def request(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        *,
        expect: set[int],
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        once: bool = False,
        urgent: bool = False,
    ) -> Response:
        """Send one request, and return the answer if its status is one of `expect`.

        While GitHub does not answer, is broken or wants no more requests for now, wait and send
        it again; with `once`, which is for redeliveries, only if it was certainly not carried out.
        The caller of these has waited for its turn, which after any other wait is past.
        What is `urgent` has points of its own. Where GitHub does not know the token, and there is
        a way to another, send it once more with that.

        Any other answer raises: `AccessError` when the token falls short, `RateLimitError` when
        the wait is too long, or else `UnavailableError`, also when there is no answer.
        """
        pauses = iter(BACKOFF_SECONDS)
        has_renewed = False
        has_turn = once
        while True:
            if not once:
                points = READ_POINTS if method == "GET" else WRITE_POINTS
                self._throttle.wait(points, urgent=urgent)
            elif self._wait_for_reserve(purpose) or not has_turn:
                self._throttle.wait_for_turn()
            has_turn = False
            response = self._send(method, path, purpose, parameters or {}, body)
            if isinstance(response, Response):
                if response.status in expect:
                    self._throttle.learn_limits(has_limits=response.remaining is not None)
                    self._clock.sync(response.date)
                    return response
                if not has_renewed and self._renew_for(response):
                    has_renewed = True
                    continue
            setback = self._bad_answer(response) if isinstance(response, Response) else response
            pause = next(pauses, None)
            if pause is None or not setback.is_passing or (once and setback.is_maybe_done):
                raise setback.error
            pause *= random.uniform(0.5, 1.5)  # noqa: S311 - no secret hangs on it
            if not self._wait_after(setback, pause):
                raise setback.error

    def _send(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        parameters: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
    ) -> "Response | _Failure":
        token = self._transport.bearer.token = self._credential.token()
        try:
            # Not requestJsonAndCheck: that takes a redirect for an answer.
            status, headers, text = self._transport.requester.requestJson(
                method,
                path,
                dict(parameters),
                {"X-GitHub-Api-Version": API_VERSION},
                input=body,
            )
        except (OSError, ValueError, OverflowError, RuntimeError) as caught:
            # Those of `requests` and of files of certificates; PyGithub's for headers that it
            # cannot read; PyGithub's for a redirect to elsewhere.
            return self._no_answer(purpose, caught)
        if len(token) >= MIN_SECRET_LENGTH:
            # A server may send back what it was sent.
            text = text.replace(token, "[token removed]")
        response = Response(purpose=purpose, status=status, headers=headers, text=text)
        self._latest = response
        return response

    def _renew_for(self, response: Response) -> bool:
        """Have the credential renewed if that is what GitHub wants."""
        if response.status != HTTPStatus.UNAUTHORIZED:
            return False
        with suppress(UnavailableError):
            self._clock.sync(response.date)  # an App signs by it
        return self._credential.renew(self._transport.bearer.token)

    def _no_answer(self, purpose: Purpose, caught: Exception) -> "_Failure":
        # Only the kind of error is told: their texts hold URLs.
        what = f"no usable answer from {self._host} ({type(caught).__name__})"
        advice = _advice(caught)
        passing = ". Nothing is lost: the next run sees to it. If it goes on, check 'hostname' and "
        passing += "the network or proxy on the way"
        return _Failure(
            error=UnavailableError(f"cannot {purpose.action}: {what}{advice or passing}"),
            what=what,
            is_passing=isinstance(caught, PASSING) and not advice,
            is_maybe_done=not _was_never_sent(caught),
        )

    def _bad_answer(self, response: Response) -> "_Failure":
        is_broken = response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return _Failure(
            error=error_for(response, self._credential.identity),
            what="GitHub wants no more requests for now"
            if response.is_rate_limit
            else response.summary,
            is_passing=is_broken or response.is_rate_limit,
            is_maybe_done=is_broken,
            retry_in=response.retry_in if response.is_rate_limit else None,
            is_too_fast=response.is_rate_limit and response.remaining != 0,
        )

    def _wait_after(self, setback: "_Failure", pause: float) -> bool:
        """Wait before the next try, as long as GitHub wants or else for `pause` seconds.

        Return False if that is too long.
        """
        if setback.retry_in is None:
            return self._throttle.back_off(pause, setback.what)
        return self._throttle.hold(setback.retry_in, setback.what, is_too_fast=setback.is_too_fast)

    def _wait_for_reserve(self, purpose: Purpose) -> bool:
        """Wait if the rate limit has come down to the reserve, and return whether it had.

        Raise `RateLimitError` if that is too long. What is no redelivery need not wait for it.
        """
        latest = self._latest
        if latest is None or latest.remaining is None or latest.remaining > RESERVE:
            return False
        resets_at = latest.date + timedelta(seconds=latest.seconds_until_reset)
        seconds = (resets_at - self._clock()).total_seconds()
        if seconds <= 0:  # that was a while ago
            return False
        if not self._throttle.back_off(seconds, "the rate limit is used up, but for a reserve"):
            about = replace(latest, purpose=purpose)
            raise rate_limit_error(about, self._credential.identity, latest.seconds_until_reset)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """A request that did not get the answer it was sent for."""

    error: RedeliverError
    what: str
    is_passing: bool
    """Whether another try may go better."""
    is_maybe_done: bool
    """Whether what was asked for may have been carried out all the same."""
    retry_in: int | None = None
    """How many seconds GitHub wants to be left alone."""
    is_too_fast: bool = False
    """Whether it was asked too much in too short a time, by its secondary rate limits."""


NOT_READY = ResponseError.SPECIFIC_ERROR.format(status_code=HTTPStatus.ACCEPTED.value)
"""How urllib3 calls an answer that `_Once` takes for an error, and that is no redirect."""

PASSING = (RequestsConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)


def _advice(caught: Exception) -> str:
    """Say what to mend where another try would not help; empty where it may."""
    if isinstance(caught, OSError) and not isinstance(caught, RequestException):
        return (
            ". The file that the variable REQUESTS_CA_BUNDLE names cannot be read: "
            "a Docker action sees the workspace, as /github/workspace, and no other files"
        )
    if isinstance(caught, RetryError):
        if str(_reason(caught)) == NOT_READY:
            return (
                ". It answered 202, which means that the answer is not ready yet. "
                "Nothing is lost: the next run sees to it"
            )
        return (
            ". It answered with a redirect, which is not followed because the token must go "
            "nowhere else. Was something renamed?"
        )
    if isinstance(caught, SSLError) and "EOF" not in str(caught):  # which is a broken connection
        return (
            ". Its certificate is not trusted here. If your GitHub or proxy has one of "
            "your own authority, name that authority's file in the variable REQUESTS_CA_BUNDLE"
        )
    return ""


def _was_never_sent(caught: Exception) -> bool:
    """Whether there was not even a connection to send the request on."""
    return isinstance(_reason(caught), (NewConnectionError, ConnectTimeoutError))


def _reason(caught: Exception) -> Exception | None:
    """Return what urllib3 says was the matter, if `requests` has it from there."""
    return getattr(caught.args[0], "reason", None) if caught.args else None
