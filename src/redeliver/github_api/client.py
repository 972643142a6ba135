"""Send requests to GitHub's REST API: wait for limits, retry, and turn failures into errors.

A redelivery is never repeated if GitHub may have received the first request.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from redeliver.errors import LateError, RedeliverError, TooLongError, UnavailableError
from redeliver.github_api.advice import error_for, rate_limit_error
from redeliver.github_api.backoff import Backoff
from redeliver.github_api.connection import Request
from redeliver.github_api.credential import Credential
from redeliver.github_api.facts import Facts
from redeliver.github_api.failure import Failure, bad_response, new_token, no_response
from redeliver.github_api.forbidden import forbidden_advice
from redeliver.github_api.network_errors import NoResponseError
from redeliver.github_api.permissions import Purpose
from redeliver.github_api.reserve import FOR_REDELIVERIES, PrimaryLimit, Reserve
from redeliver.github_api.response import Response
from redeliver.github_api.server_clock import ServerClock
from redeliver.github_api.throttle import MAX_WAIT_SECONDS, READ_POINTS, WRITE_POINTS, Throttle
from redeliver.github_api.transport import Transport


class Client:
    """GitHub's REST API at `url` with `credential`, for any number of threads.

    Every response sets `clock`; `throttle` decides when the next request may go.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        url: str,
        clock: ServerClock,
        facts: Facts,
        throttle: Throttle,
    ) -> None:
        self._credential = credential
        self._transport = Transport(url)
        self._clock = clock
        self._facts = facts
        self._throttle = throttle
        self._limit = PrimaryLimit(throttle.now)
        self._not_accepted: tuple[str, int] | None = None
        """A new token that GitHub has not accepted in time, and the status of its refusal."""

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
        keep: Reserve | None = None,
        max_wait: float = math.inf,
    ) -> Response:
        """Send a request, and return the response if its status is one of `expect`.

        If there is no response, a server error or a rate limit, wait and send the request again.
        If GitHub refuses the token and the credential can make another, send it once more.

        * With `once`, send the request again only if GitHub certainly did not execute it.
        * `urgent` is for the checkpoint and the tokens that saving it needs. These requests have
          rate limit points of their own, and are tried once even if the run has waited too long.
        * `keep` is a part of the rate limit that is left. Requests that leave one for redeliveries
          are those of the plan: the time that they may wait for responses is limited, too.
        * Do not send the request once it has waited for more than `max_wait` seconds, for whatever
          reason: raise `LateError`, whose cause is the error of the try before the wait.

        What is sent once and is not urgent is a redelivery. Its caller has already taken a turn
        from the throttle for the first try; each further try takes a new one.

        Any other response raises: `AccessError` if the token lacks a permission, `RateLimitError`
        if the wait is too long, `UnreachableError` if there is no response, and otherwise
        `UnavailableError`. `TooLongError` means that the request was not sent.
        """
        is_redelivery, is_planning = once and not urgent, keep is FOR_REDELIVERIES
        self._check_waits(purpose, is_planning=is_planning, urgent=urgent)
        take_turn = partial(self._take_turn, method, is_redelivery=is_redelivery, urgent=urgent)
        request = Request(
            method=method, path=path, purpose=purpose, parameters=parameters or {}, body=body
        )
        backoff = Backoff(once=once, is_planning=is_planning)
        failure, began = None, self._throttle.now()
        has_renewed = False
        has_turn = is_redelivery  # the caller has taken it
        while True:
            if not has_turn:
                take_turn()
            has_turn = False
            token = self._credential.token()
            if self._throttle.now() - began > max_wait:
                raise _too_late(purpose, failure) from (failure.error if failure else None)
            self._start(purpose, keep, take_turn)
            sent_at = self._throttle.mark_sent(is_redelivery=is_redelivery)
            try:
                response = self._send(request, token)
            except NoResponseError as error:
                failure = no_response(purpose, error)
            else:
                self._facts.learn(response.headers, self._credential.identity)
                if self._is_refused_as_new(response, token):
                    has_renewed = True  # another token would be as new
                    failure = new_token(response, self.error(response))
                elif response.status in expect and not response.is_rate_limit:
                    return self._accepted(response)
                elif not has_renewed and self._renew_for(response, token):
                    has_renewed = True
                    continue
                else:
                    failure = bad_response(response, self.error(response))
            pause = backoff.next_pause(failure, took=self._throttle.now() - sent_at)
            if pause is None or not self._wait_after(failure, pause):
                return self._give_up(failure, token, expect)

    def _give_up(self, failure: Failure, token: str, expect: set[int]) -> Response:
        """Raise the error of a request's last try; return a refusal that its caller expects."""
        response = failure.new_token_response
        if response:
            self._not_accepted = (token, response.status)
            if response.status in expect:
                return self._accepted(response)
        raise failure.error

    def error(self, response: Response) -> RedeliverError:
        """Return the error that `request` raises for `response` if its status is not expected."""
        return error_for(response, self._credential.identity)

    def _check_waits(self, purpose: Purpose, *, is_planning: bool, urgent: bool) -> None:
        """Raise `TooLongError` if the run has waited for GitHub as long as it may."""
        if self._throttle.has_waited_too_long and not urgent:
            raise _too_long(purpose, MAX_WAIT_SECONDS, "the most that it may wait")
        if is_planning and self._throttle.has_planned_too_long:
            most = "the most that it may wait before it redelivers"
            raise _too_long(purpose, MAX_WAIT_SECONDS // 2, most)

    def _accepted(self, response: Response) -> Response:
        """Return an expected response, after learning from it."""
        # Without these headers, github.com has its limits all the same: it never sends them in
        # response to a GitHub App's JWT.
        has_limits = response.remaining is not None or not self._facts.is_server
        self._throttle.learn_limits(has_limits=has_limits)
        self._clock.sync(response.date)
        return response

    def _is_refused_as_new(self, response: Response, token: str) -> bool:
        """Whether GitHub may accept the same token in a moment."""
        if response.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return False
        with suppress(UnavailableError):
            self._clock.sync(response.date)  # the age of a token and an App's JWT need the time
        may_pass = response.status in self._credential.statuses_while_new(token)
        return (
            may_pass
            and (token, response.status) != self._not_accepted
            and not response.is_rate_limit
            and not forbidden_advice(response)
        )

    def _renew_for(self, response: Response, token: str) -> bool:
        """Renew the token if GitHub refused it, and return whether there is a new one."""
        is_refused = response.status == HTTPStatus.UNAUTHORIZED
        is_given_up = (token, response.status) == self._not_accepted  # another would be as new
        return is_refused and not is_given_up and self._credential.renew(token)

    def _wait_after(self, failure: Failure, pause: float) -> bool:
        """Wait before the next try: as long as GitHub asks, otherwise for `pause` seconds.

        Return False if that is too long.
        """
        if failure.retry_in is None:
            return self._throttle.back_off(pause, failure.reason)
        return self._throttle.hold(
            failure.retry_in, failure.reason, is_too_fast=failure.is_secondary_limit
        )

    def _take_turn(self, method: str, *, is_redelivery: bool, urgent: bool) -> None:
        if is_redelivery:
            self._throttle.wait_for_turn()
        else:
            points = READ_POINTS if method == "GET" else WRITE_POINTS
            self._throttle.wait(points, urgent=urgent)

    def _start(
        self, purpose: Purpose, reserve: Reserve | None, take_turn: Callable[[], None]
    ) -> None:
        """Count a request. If only the reserve is left, first wait for the rate limit to reset.

        Raise `RateLimitError` if that takes too long.
        """
        blocked = self._limit.start(reserve)
        if not blocked or not reserve:
            return
        latest, seconds = blocked
        why = f"the last requests of the rate limit are kept for {reserve.purpose}"
        if not self._throttle.back_off(seconds, why):
            raise rate_limit_error(
                replace(latest, purpose=purpose),
                self._credential.identity,
                latest.seconds_until_reset,
                reserved_for=reserve.purpose,
            )
        take_turn()  # the one before may be minutes old
        self._limit.start()

    def _send(self, request: Request, token: str) -> Response:
        """Send a counted request. If there is no response, that time counts as a wait."""
        response, sent_at, began = None, self._throttle.now(), time.monotonic()
        try:
            response = self._transport.send(request, token=token)
        except NoResponseError:
            self._throttle.charge_since(sent_at)
            raise
        finally:
            self._limit.end(response)
        self._throttle.responded(time.monotonic() - began)
        return response


def _too_long(purpose: Purpose, seconds: int, most: str) -> TooLongError:
    reason = f"this run has waited for GitHub for {seconds} s in total, {most}"
    return TooLongError(
        f"cannot {purpose.action}: {reason}. No events are lost; the next run continues",
        reason=reason,
    )


def _too_late(purpose: Purpose, failure: Failure | None) -> LateError:
    reason = failure.reason if failure else "the rate limit made this run wait"
    return LateError(
        f"cannot {purpose.action}: {reason}. No events are lost; the next run continues",
        reason=reason,
    )
